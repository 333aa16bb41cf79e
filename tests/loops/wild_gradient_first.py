"""A look at autograd first, without an optimizer; the training with one comes after it.

The first backward trains nothing: no loop is around it, and it never comes again. The optimizer is
made later, and its steps are the run's only ones.
"""

from __future__ import annotations

import torch
from torch import nn


def loop(hand):
    torch.manual_seed(37)
    slope = torch.tensor(2.0, requires_grad=True)
    shift = torch.tensor(3.0, requires_grad=True)
    line = slope * 4.0 + shift
    line.backward()

    x, y = torch.randn(10, 3), torch.randn(10, 2)
    linear = nn.Linear(3, 2)
    criterion = nn.MSELoss()
    optimizer = torch.optim.SGD(linear.parameters(), lr=0.05)
    for step in range(4):
        out = linear(x)
        loss = criterion(out, y)
        optimizer.zero_grad()
        loss.backward()
        hand.step(step, loss.item(), optimizer)
        hand.saw("train", loss.item(), 10, output=out, target=y)
        optimizer.step()
    hand.end("train", 4)
    return linear, optimizer, slope, shift
