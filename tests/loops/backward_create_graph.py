"""`loss.backward(create_graph=True)`, then a second backward through the gradients."""

from __future__ import annotations

import warnings

import torch
from torch import nn

warnings.filterwarnings("ignore", message="Using backward.. with create_graph=True")


def loop(hand):
    torch.manual_seed(53)
    xs = torch.randn(36, 4)
    ys = xs.sum(1, keepdim=True)
    model = nn.Sequential(nn.Linear(4, 6), nn.Tanh(), nn.Linear(6, 1))
    optimizer = torch.optim.SGD(model.parameters(), lr=0.05)

    step = 0
    for epoch in range(2):
        for x, y in zip(xs.split(12), ys.split(12)):
            optimizer.zero_grad()
            error = (model(x) - y).pow(2).mean()
            error.backward(create_graph=True)
            penalty = 0.1 * sum(p.grad.pow(2).sum() for p in model.parameters())
            penalty.backward()
            total = error.item() + penalty.item()
            hand.step(step, total, optimizer, rtol=1e-6)
            hand.saw("train", total, 12)
            optimizer.step()
            step += 1
        hand.end("train", epoch)
    for p in model.parameters():
        p.grad = None
    return model, optimizer
