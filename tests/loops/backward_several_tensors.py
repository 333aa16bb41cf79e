"""`torch.autograd.backward` with several losses at once: their sum."""

from __future__ import annotations

import torch
from torch import nn


def loop(hand):
    torch.manual_seed(59)
    xs = torch.randn(48, 5)
    left, right = nn.Linear(5, 1), nn.Linear(5, 1)
    optimizer = torch.optim.SGD([*left.parameters(), *right.parameters()], lr=0.05)

    step = 0
    for epoch in range(2):
        for x in xs.split(16):
            optimizer.zero_grad()
            agree = (left(x) - right(x)).pow(2).mean()
            norm = (left(x).pow(2).mean() - 1).abs()
            torch.autograd.backward([agree, norm])
            value = agree.item() + norm.item()
            hand.step(step, value, optimizer, rtol=1e-6)
            hand.saw("train", value, 16)
            optimizer.step()
            step += 1
        hand.end("train", epoch)
    return left, right, optimizer
