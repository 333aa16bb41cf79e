"""Optimizers in a dictionary: the keys name the streams."""

from __future__ import annotations

import torch
from torch import nn


def loop(hand):
    torch.manual_seed(69)
    xs, ys = torch.randn(36, 4), torch.randint(0, 2, (36,))
    parts = {"body": nn.Linear(4, 6), "head": nn.Linear(6, 2)}
    optimizers = {
        "body": torch.optim.SGD(parts["body"].parameters(), lr=0.05),
        "head": torch.optim.Adam(parts["head"].parameters(), lr=0.01),
    }

    step = 0
    for epoch in range(2):
        for x, y in zip(xs.split(12), ys.split(12)):
            for optimizer in optimizers.values():
                optimizer.zero_grad()
            out = parts["head"](parts["body"](x).relu())
            loss = nn.functional.cross_entropy(out, y)
            loss.backward()
            for key, optimizer in optimizers.items():
                hand.step(step, loss.item(), optimizer, key)
                hand.saw("train", loss.item(), 12, key, correct=(out.argmax(1) == y).sum())
                optimizer.step()
            step += 1
        for key in optimizers:
            hand.end("train", epoch, key)
    return parts["body"], parts["head"], optimizers
