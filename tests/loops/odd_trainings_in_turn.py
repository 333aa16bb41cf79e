"""Two trainings one after the other with the same function: steps and epochs run on."""

from __future__ import annotations

import torch
from torch import nn


def fit(model, xs, ys, epochs, hand, first_step, first_epoch):
    optimizer = torch.optim.SGD(model.parameters(), lr=0.1)
    step = first_step
    for epoch in range(epochs):
        for x, y in zip(xs.split(16), ys.split(16)):
            optimizer.zero_grad()
            out = model(x)
            loss = nn.functional.cross_entropy(out, y)
            loss.backward()
            hand.step(step, loss.item(), optimizer)
            hand.saw("train", loss.item(), 16, correct=(out.argmax(1) == y).sum())
            optimizer.step()
            step += 1
        hand.end("train", first_epoch + epoch)
    return step


def loop(hand):
    torch.manual_seed(116)
    xs, ys = torch.randn(48, 5), torch.randint(0, 3, (48,))
    small, large = nn.Linear(5, 3), nn.Sequential(nn.Linear(5, 9), nn.ReLU(), nn.Linear(9, 3))
    step = fit(small, xs, ys, 2, hand, 0, 0)
    fit(large, xs, ys, 3, hand, step, 2)
    return small, large
