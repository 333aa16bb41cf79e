"""for name, loader in {"val": ..., "test": ...}.items(): the loop variable says which phase it is."""

from __future__ import annotations

import torch
from torch import nn
from torch.utils.data import DataLoader, TensorDataset


def loop(hand):
    torch.manual_seed(84)
    x = torch.randn(34, 4)
    y = (x @ torch.randn(4, 3)).argmax(1)
    loader = DataLoader(TensorDataset(x[:16], y[:16]), batch_size=6, shuffle=True)
    held_out = {
        "val": DataLoader(TensorDataset(x[16:23], y[16:23]), batch_size=4),
        "test": DataLoader(TensorDataset(x[23:], y[23:]), batch_size=4),
    }
    model = nn.Linear(4, 3)
    criterion = nn.CrossEntropyLoss()
    optimizer = torch.optim.SGD(model.parameters(), lr=0.3)
    step = 0
    for epoch in range(3):
        model.train()
        for inputs, labels in loader:
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
        for name, batches in held_out.items():
            with torch.no_grad():
                for inputs, labels in batches:
                    outputs = model(inputs)
                    hits = (outputs.argmax(1) == labels).sum()
                    hand.saw(name, criterion(outputs, labels).item(), len(labels), correct=hits)
            hand.end(name, epoch)
    return model, optimizer
