"""Trained on mse, validated on mse and l1: the loss is the trained one, the other keeps its name."""

from __future__ import annotations

import torch
import torch.nn as nn
from torch.utils.data import DataLoader, TensorDataset


def loop(hand):
    torch.manual_seed(81)
    x = torch.randn(26, 3)
    y = x.sum(1, keepdim=True) + 0.1 * torch.randn(26, 1)
    train_loader = DataLoader(TensorDataset(x[:16], y[:16]), batch_size=6, shuffle=True)
    val_loader = DataLoader(TensorDataset(x[16:], y[16:]), batch_size=4)
    model = nn.Linear(3, 1)
    mse, mae = nn.MSELoss(), nn.L1Loss()
    optimizer = torch.optim.SGD(model.parameters(), lr=0.1)
    step = 0
    for epoch in range(3):
        model.train()
        for xb, yb in train_loader:
            pred = model(xb)
            loss = mse(pred, yb)
            optimizer.zero_grad()
            loss.backward()
            hand.step(step, loss.item(), optimizer)
            hand.saw("train", loss.item(), len(xb), output=pred, target=yb)
            optimizer.step()
            step += 1
        hand.end("train", epoch)
        model.eval()
        absolute = 0.0
        with torch.no_grad():
            for xb, yb in val_loader:
                pred = model(xb)
                absolute += mae(pred, yb).item() * len(xb)
                hand.saw("val", mse(pred, yb).item(), len(xb), output=pred, target=yb)
        hand.end("val", epoch)
        hand.add("Loss/val/l1_loss", epoch, absolute / 10)
    return model, optimizer
