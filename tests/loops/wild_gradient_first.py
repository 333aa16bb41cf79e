"""A look at autograd first, without an optimizer; the training with one comes after it.

The first backward is a step of weights that nobody optimizes. The optimizer is made later, and its
steps are its own.
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
    hand.add("Loss/train/by_hand", 0, line.item())
    hand.gradient_norm(0, [slope, shift], "GradNorm/total/by_hand")

    x, y = torch.randn(10, 3), torch.randn(10, 2)
    linear = nn.Linear(3, 2)
    criterion = nn.MSELoss()
    optimizer = torch.optim.SGD(linear.parameters(), lr=0.05)
    for step in range(4):
        out = linear(x)
        loss = criterion(out, y)
        optimizer.zero_grad()
        loss.backward()
        hand.step(step, loss.item(), optimizer, "optimizer")
        hand.saw("train", loss.item(), 10, "optimizer", output=out, target=y)
        optimizer.step()
    hand.end("train", 4, "optimizer")
    hand.mean("Loss/train_epoch/by_hand", 1, [line.item()])
    return linear, optimizer, slope, shift
