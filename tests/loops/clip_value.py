"""Clipping by value."""

from __future__ import annotations

import torch
from torch import nn
from torch.nn.utils import clip_grad_value_


def loop(hand):
    torch.manual_seed(32)
    xs = torch.randn(40, 4)
    ys = xs @ torch.randn(4, 2) + 1
    model = nn.Linear(4, 2)
    optimizer = torch.optim.SGD(model.parameters(), lr=0.1)
    criterion = nn.MSELoss()

    step = 0
    for epoch in range(3):
        for x, y in zip(xs.split(10), ys.split(10)):
            pred = model(x)
            loss = criterion(pred, y)
            optimizer.zero_grad()
            loss.backward()
            hand.step(step, loss.item(), optimizer)
            clip_grad_value_(model.parameters(), clip_value=0.2)
            hand.gradient_norm(step, model.parameters(), "GradNorm/clipped")
            optimizer.step()
            hand.saw("train", loss.item(), 10, output=pred, target=y)
            step += 1
        hand.end("train", epoch)
    return model, optimizer
