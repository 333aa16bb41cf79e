"""The moving average of the weights is what gets evaluated, by a copy that no optimizer holds."""

from __future__ import annotations

import copy

import torch
from torch import nn
from torch.utils.data import DataLoader, TensorDataset


def loop(hand):
    torch.manual_seed(313)
    x = torch.randn(33, 4)
    y = (x @ torch.randn(4, 3)).argmax(1)
    train_loader = DataLoader(TensorDataset(x[:20], y[:20]), batch_size=8, shuffle=True)
    val_loader = DataLoader(TensorDataset(x[20:], y[20:]), batch_size=5)
    model = nn.Linear(4, 3)
    ema = copy.deepcopy(model).eval().requires_grad_(False)
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
            with torch.no_grad():
                for slow, fast in zip(ema.parameters(), model.parameters()):
                    slow.lerp_(fast, 0.2)
        hand.end("train", epoch)
        for inputs, labels in val_loader:
            outputs = ema(inputs)
            loss = criterion(outputs, labels)
            hits = (outputs.argmax(1) == labels).sum()
            hand.saw("val", loss.item(), len(labels), correct=hits)
        hand.end("val", epoch)
    return model, ema, optimizer
