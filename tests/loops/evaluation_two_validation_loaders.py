"""Two validation loaders told apart by a letter: the second one keeps its letter."""

from __future__ import annotations

import torch
from torch import nn
from torch.utils.data import DataLoader, TensorDataset


def loop(hand):
    torch.manual_seed(86)
    x = torch.randn(34, 4)
    y = (x @ torch.randn(4, 3)).argmax(1)
    batches = DataLoader(TensorDataset(x[:16], y[:16]), batch_size=6, shuffle=True)
    val_loader_a = DataLoader(TensorDataset(x[16:23], y[16:23]), batch_size=4)
    val_loader_b = DataLoader(TensorDataset(x[23:] + torch.randn(11, 4), y[23:]), batch_size=4)
    model = nn.Linear(4, 3)
    criterion = nn.CrossEntropyLoss()
    optimizer = torch.optim.SGD(model.parameters(), lr=0.3)
    step = 0
    for epoch in range(3):
        model.train()
        for inputs, labels in batches:
            outputs = model(inputs)
            loss = criterion(outputs, labels)
            optimizer.zero_grad()
            loss.backward()
            hand.step(step, loss.item(), optimizer)
            hand.saw("train", loss.item(), len(labels), correct=(outputs.argmax(1) == labels).sum())
            optimizer.step()
            step += 1
        hand.end("train", epoch)
        model.eval()
        with torch.no_grad():
            for inputs, labels in val_loader_a:
                outputs = model(inputs)
                hits = (outputs.argmax(1) == labels).sum()
                hand.saw("val", criterion(outputs, labels).item(), len(labels), correct=hits)
            hand.end("val", epoch)
            for inputs, labels in val_loader_b:
                outputs = model(inputs)
                hits = (outputs.argmax(1) == labels).sum()
                hand.saw("val_b", criterion(outputs, labels).item(), len(labels), correct=hits)
            hand.end("val_b", epoch)
    return model, optimizer
