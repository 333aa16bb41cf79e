"""A finite loss with a NaN gradient: the square root of a distance that is exactly zero."""

from __future__ import annotations

import torch
from torch import nn


def loop(hand):
    torch.manual_seed(102)
    left, right = torch.randn(36, 4), torch.randn(36, 4)
    right[17] = left[17]
    model = nn.Linear(4, 2)
    optimizer = torch.optim.SGD(model.parameters(), lr=0.05)

    step = 0
    for epoch in range(2):
        for a, b in zip(left.split(12), right.split(12)):
            optimizer.zero_grad()
            distance = ((model(a) - model(b)) ** 2).sum(1).sqrt()
            loss = (distance - 1).abs().mean()
            loss.backward()
            hand.step(step, loss.item(), optimizer)
            hand.saw("train", loss.item(), 12)
            optimizer.step()
            step += 1
        hand.end("train", epoch)
    return model, optimizer
