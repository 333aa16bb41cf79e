"""Regression with one output, squeezed; the scores are over the whole pass, not means of batches."""

from __future__ import annotations

import torch
from torch import nn
from torch.utils.data import DataLoader, TensorDataset


def loop(hand):
    torch.manual_seed(52)
    x = torch.randn(30, 3)
    y = x @ torch.tensor([1.0, -2.0, 0.5]) + 4 + 0.2 * torch.randn(30)
    train_loader = DataLoader(TensorDataset(x[:20], y[:20]), batch_size=8, shuffle=True)
    val_loader = DataLoader(TensorDataset(x[20:], y[20:]), batch_size=7)
    model = nn.Linear(3, 1)
    criterion = nn.MSELoss()
    optimizer = torch.optim.SGD(model.parameters(), lr=0.1)
    step = 0
    for epoch in range(3):
        model.train()
        for features, price in train_loader:
            predicted = model(features).squeeze(-1)
            loss = criterion(predicted, price)
            optimizer.zero_grad()
            loss.backward()
            hand.step(step, loss.item(), optimizer)
            hand.saw("train", loss.item(), len(price), output=predicted, target=price)
            optimizer.step()
            step += 1
        hand.end("train", epoch)
        model.eval()
        with torch.no_grad():
            for features, price in val_loader:
                predicted = model(features).squeeze(-1)
                loss = criterion(predicted, price)
                hand.saw("val", loss.item(), len(price), output=predicted, target=price)
        hand.end("val", epoch)
    return model, optimizer
