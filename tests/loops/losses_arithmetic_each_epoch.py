"""A line fitted with the error written out, each step an epoch; now and then twice in one."""

from __future__ import annotations

import torch
from torch import nn


def loop(hand):
    torch.manual_seed(10)
    x = torch.linspace(-1, 1, 30).reshape(-1, 1)
    y = 3 * x + 2
    model = nn.Linear(1, 1)
    optimizer = torch.optim.SGD(model.parameters(), lr=0.1)
    step = 0
    for epoch in range(160):
        for _ in range(2 if epoch == 120 else 1):
            error = model(x) - y
            loss = error.pow(2).mean()
            optimizer.zero_grad()
            loss.backward()
            hand.step(step, loss.item(), optimizer)
            hand.saw("train", loss.item(), 1)
            optimizer.step()
            step += 1
        hand.end("train", epoch)
    return model, optimizer
