"""A criterion module written without any torch loss: the loss is known, a score would be a guess."""

from __future__ import annotations

import torch
from torch import nn
from torch.utils.data import DataLoader, TensorDataset


class LogCosh(nn.Module):
    def forward(self, prediction, target):
        return torch.log(torch.cosh(prediction - target)).mean()


def loop(hand):
    torch.manual_seed(26)
    x = torch.randn(26, 4)
    y = x.sum(1, keepdim=True) + 0.1 * torch.randn(26, 1)
    train_loader = DataLoader(TensorDataset(x[:18], y[:18]), batch_size=7, shuffle=True)
    val_loader = DataLoader(TensorDataset(x[18:], y[18:]), batch_size=5)
    model, loss_fn = nn.Linear(4, 1), LogCosh()
    optimizer = torch.optim.SGD(model.parameters(), lr=0.2)
    step = 0
    for epoch in range(3):
        model.train()
        for xb, yb in train_loader:
            loss = loss_fn(model(xb), yb)
            optimizer.zero_grad()
            loss.backward()
            hand.step(step, loss.item(), optimizer)
            hand.saw("train", loss.item(), len(xb))
            optimizer.step()
            step += 1
        hand.end("train", epoch)
        model.eval()
        with torch.no_grad():
            for xb, yb in val_loader:
                hand.saw("val", loss_fn(model(xb), yb).item(), len(xb))
        hand.end("val", epoch)
    return model, optimizer
