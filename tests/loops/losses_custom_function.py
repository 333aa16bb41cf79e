"""A plain Python function as the loss: seen in training, not in validation."""

from __future__ import annotations

import torch
from torch import nn
from torch.utils.data import DataLoader, TensorDataset

MISSING = {
    "Loss/val": "a plain function under no_grad leaves nothing to see; criterion=pinball says it",
}


def pinball(prediction, target, quantile=0.8):
    error = target - prediction
    return torch.maximum(quantile * error, (quantile - 1) * error).mean()


def loop(hand):
    torch.manual_seed(27)
    x = torch.randn(26, 4)
    y = x.sum(1, keepdim=True) + torch.randn(26, 1)
    train_loader = DataLoader(TensorDataset(x[:18], y[:18]), batch_size=7, shuffle=True)
    val_loader = DataLoader(TensorDataset(x[18:], y[18:]), batch_size=5)
    model = nn.Linear(4, 1)
    optimizer = torch.optim.Adam(model.parameters(), lr=0.1)
    step = 0
    for epoch in range(3):
        for xb, yb in train_loader:
            loss = pinball(model(xb), yb)
            optimizer.zero_grad()
            loss.backward()
            hand.step(step, loss.item(), optimizer)
            hand.saw("train", loss.item(), len(xb))
            optimizer.step()
            step += 1
        hand.end("train", epoch)
        with torch.no_grad():
            for xb, yb in val_loader:
                hand.saw("val", pinball(model(xb), yb).item(), len(xb))
        hand.end("val", epoch)
    return model, optimizer
