"""Trials, each with a model of its own; most are given up after the first epoch, or the second.

Epoch zero of the trial that follows is another epoch.
"""

from __future__ import annotations

import torch
from torch import nn
from torch.utils.data import DataLoader, TensorDataset


def run_trial(hand, train_loader, val_loader, lr, patience, first, step):
    model = nn.Linear(4, 3)
    criterion = nn.CrossEntropyLoss()
    optimizer = torch.optim.SGD(model.parameters(), lr=lr)
    for epoch in range(4):
        for x, y in train_loader:
            scores = model(x)
            loss = criterion(scores, y)
            loss.backward()
            hand.step(step, loss.item(), optimizer)
            hand.saw("train", loss.item(), len(y), correct=(scores.argmax(1) == y).sum())
            optimizer.step()
            optimizer.zero_grad()
            step += 1
        hand.end("train", first + epoch)
        with torch.no_grad():
            for x, y in val_loader:
                scores = model(x)
                loss = criterion(scores, y)
                hand.saw("val", loss.item(), len(y), correct=(scores.argmax(1) == y).sum())
        hand.end("val", first + epoch)
        if epoch + 1 == patience:
            break
    return model, first + epoch + 1, step


def loop(hand):
    torch.manual_seed(405)
    x = torch.randn(30, 4)
    y = (x @ torch.randn(4, 3)).argmax(1)
    train_loader = DataLoader(TensorDataset(x[:18], y[:18]), batch_size=6, shuffle=True)
    val_loader = DataLoader(TensorDataset(x[18:], y[18:]), batch_size=6)
    models, first, step = [], 0, 0
    for lr, patience in [(0.1, 1), (0.2, 1), (0.3, 1), (0.1, 2), (0.2, 9), (0.4, 1)]:
        model, first, step = run_trial(hand, train_loader, val_loader, lr, patience, first, step)
        models.append(model)
    return models
