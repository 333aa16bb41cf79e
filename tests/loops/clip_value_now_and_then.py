"""Clipping by value at most steps: left out for some, by norm as well, and of one layer only."""

from __future__ import annotations

import torch
from torch import nn


def loop(hand):
    torch.manual_seed(136)
    xs, ys = 3 * torch.randn(480, 6), torch.randn(480, 2)
    model = nn.Sequential(nn.Linear(6, 8), nn.Tanh(), nn.Linear(8, 2))
    optimizer = torch.optim.SGD(model.parameters(), lr=0.05)
    criterion = nn.MSELoss()

    step = 0
    for epoch in range(3):
        for x, y in zip(xs.split(12), ys.split(12)):
            optimizer.zero_grad()
            out = model(x)
            loss = criterion(out, y)
            loss.backward()
            hand.step(step, loss.item(), optimizer)
            by_value = step % 40 < 25 or step >= 60
            by_norm = 25 <= step < 35 or 70 <= step < 80
            if by_value:
                parts = model[0].parameters() if step >= 100 else model.parameters()
                torch.nn.utils.clip_grad_value_(parts, 0.02)
            if by_norm:
                torch.nn.utils.clip_grad_norm_(model.parameters(), max_norm=0.1)
            if by_value or by_norm:
                hand.gradient_norm(step, model.parameters(), "GradNorm/clipped")
            optimizer.step()
            hand.saw("train", loss.item(), 12, output=out, target=y)
            step += 1
        hand.end("train", epoch)
    return model, optimizer
