"""eval() is never switched back: the training goes on in eval mode and is training all the same."""

from __future__ import annotations

import torch
from torch import nn
from torch.utils.data import DataLoader, TensorDataset


def loop(hand):
    torch.manual_seed(72)
    x = torch.randn(26, 4)
    y = (x @ torch.randn(4, 3)).argmax(1)
    train_loader = DataLoader(TensorDataset(x[:16], y[:16]), batch_size=6, shuffle=True)
    val_loader = DataLoader(TensorDataset(x[16:], y[16:]), batch_size=4)
    model = nn.Sequential(nn.Linear(4, 8), nn.Dropout(0.5), nn.Linear(8, 3))
    criterion = nn.CrossEntropyLoss()
    optimizer = torch.optim.SGD(model.parameters(), lr=0.3)
    step = 0
    for epoch in range(3):
        for inputs, labels in train_loader:
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
            for inputs, labels in val_loader:
                outputs = model(inputs)
                hits = (outputs.argmax(1) == labels).sum()
                hand.saw("val", criterion(outputs, labels).item(), len(labels), correct=hits)
        hand.end("val", epoch)
    return model, optimizer
