"""A training in double precision."""

from __future__ import annotations

import torch
from torch import nn


def loop(hand):
    torch.manual_seed(93)
    xs = torch.randn(48, 4, dtype=torch.float64)
    ys = xs.pow(2).sum(1, keepdim=True)
    model = nn.Sequential(nn.Linear(4, 8), nn.Tanh(), nn.Linear(8, 1)).double()
    optimizer = torch.optim.SGD(model.parameters(), lr=0.05)
    criterion = nn.MSELoss()

    step = 0
    for epoch in range(3):
        for x, y in zip(xs.split(16), ys.split(16)):
            optimizer.zero_grad()
            out = model(x)
            loss = criterion(out, y)
            loss.backward()
            hand.step(step, loss.item(), optimizer)
            hand.saw("train", loss.item(), 16, output=out, target=y)
            optimizer.step()
            step += 1
        hand.end("train", epoch)
    return model, optimizer
