"""A learning rate far too high: the loss overflows to infinity, then to NaN."""

from __future__ import annotations

import torch
from torch import nn


def loop(hand):
    torch.manual_seed(101)
    x = torch.randn(30, 3)
    y = x.sum(1, keepdim=True)
    model = nn.Linear(3, 1)
    optimizer = torch.optim.SGD(model.parameters(), lr=3e4)

    values = []
    for epoch in range(12):
        optimizer.zero_grad()
        loss = ((model(x) - y) ** 2).mean()
        loss.backward()
        hand.step(epoch, loss.item(), optimizer)
        hand.add("Loss/train_epoch", epoch, loss.item())
        optimizer.step()
        values.append(loss.item())
    assert float("inf") in values and values[-1] != values[-1]
    return model, optimizer
