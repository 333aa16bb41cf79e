"""Gradient accumulation: `loss /= N` in place, before backward."""

from __future__ import annotations

import torch
from torch import nn


def loop(hand):
    torch.manual_seed(3)
    xs = torch.randn(48, 5)
    ys = xs @ torch.randn(5, 1) + 0.1 * torch.randn(48, 1)
    model = nn.Linear(5, 1)
    optimizer = torch.optim.SGD(model.parameters(), lr=0.05)
    loss_fn = nn.MSELoss()
    accum_iter = 2

    step, group = 0, []
    for epoch in range(3):
        optimizer.zero_grad()
        for i in range(0, 48, 12):
            x, y = xs[i : i + 12], ys[i : i + 12]
            pred = model(x)
            loss = loss_fn(pred, y)
            value = loss.item()
            loss /= accum_iter
            loss.backward()
            group.append(value)
            hand.saw("train", value, len(x), output=pred, target=y)
            if len(group) == accum_iter:
                hand.step(step, group, optimizer)
                optimizer.step()
                optimizer.zero_grad()
                step += 1
                group = []
        hand.end("train", epoch)
    return model, optimizer
