"""Warm-up, then halving, stepped once an epoch."""

from __future__ import annotations

import torch
from torch import nn


def loop(hand):
    torch.manual_seed(75)
    xs, ys = torch.randn(36, 5), torch.randint(0, 3, (36,))
    model = nn.Linear(5, 3)
    optimizer = torch.optim.SGD(model.parameters(), lr=0.4)
    scheduler = torch.optim.lr_scheduler.LambdaLR(optimizer, lambda e: 0.1 if e < 1 else 0.5**e)

    step = 0
    for epoch in range(1, 5):
        for x, y in zip(xs.split(12), ys.split(12)):
            optimizer.zero_grad()
            out = model(x)
            loss = nn.functional.cross_entropy(out, y)
            loss.backward()
            hand.step(step, loss.item(), optimizer)
            hand.saw("train", loss.item(), 12, correct=(out.argmax(1) == y).sum())
            optimizer.step()
            step += 1
        scheduler.step()
        hand.end("train", epoch)
    return model, optimizer, scheduler
