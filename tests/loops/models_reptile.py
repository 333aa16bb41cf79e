"""Reptile: a copy of the model with an optimizer of its own is trained for each task in turn."""

from __future__ import annotations

import copy

import torch
import torch.nn.functional as F
from torch import nn


def loop(hand):
    torch.manual_seed(317)
    model = nn.Sequential(nn.Linear(1, 8), nn.Tanh(), nn.Linear(8, 1))
    step = 0
    for task in range(4):
        x = torch.rand(10, 1) * 6
        y = torch.sin(x + task)
        fast = copy.deepcopy(model)
        inner = torch.optim.SGD(fast.parameters(), lr=0.02)
        for _ in range(3):
            out = fast(x)
            loss = F.mse_loss(out, y)
            inner.zero_grad()
            loss.backward()
            hand.step(step, loss.item(), inner)
            hand.saw("train", loss.item(), 10, output=out, target=y)
            inner.step()
            step += 1
        with torch.no_grad():
            for slow, quick in zip(model.parameters(), fast.parameters()):
                slow.add_(quick - slow, alpha=0.5)
    hand.end("train", step)
    return model
