"""Clipping by norm through `torch.nn.utils`."""

from __future__ import annotations

import torch
from torch import nn


def loop(hand):
    torch.manual_seed(30)
    xs, ys = 3 * torch.randn(48, 6), torch.randint(0, 3, (48,))
    model = nn.Sequential(nn.Linear(6, 12), nn.Tanh(), nn.Linear(12, 3))
    optimizer = torch.optim.SGD(model.parameters(), lr=0.5)
    criterion = nn.CrossEntropyLoss()

    step = 0
    for epoch in range(3):
        for x, y in zip(xs.split(12), ys.split(12)):
            optimizer.zero_grad()
            out = model(x)
            loss = criterion(out, y)
            loss.backward()
            hand.step(step, loss.item(), optimizer)
            torch.nn.utils.clip_grad_norm_(model.parameters(), max_norm=0.5)
            hand.gradient_norm(step, model.parameters(), "GradNorm/clipped")
            optimizer.step()
            hand.saw("train", loss.item(), 12, correct=(out.argmax(1) == y).sum())
            step += 1
        hand.end("train", epoch)
    return model, optimizer
