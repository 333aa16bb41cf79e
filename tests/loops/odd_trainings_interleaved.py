"""Two trainings as generators, advanced in turn; each has its own loop, epochs and optimizer."""

from __future__ import annotations

import torch
from torch import nn


def train_linear(model, adam, batches, hand):
    step = 0
    for epoch in range(3):
        for x, y in batches:
            adam.zero_grad()
            out = model(x)
            loss = nn.functional.cross_entropy(out, y)
            loss.backward()
            hand.step(step, loss.item(), adam, "adam")
            hand.saw("train", loss.item(), len(x), "adam", correct=(out.argmax(1) == y).sum())
            adam.step()
            step += 1
            yield
        hand.end("train", epoch, "adam")


def train_deep(model, sgd, batches, hand):
    step = 0
    for epoch in range(10, 12):
        for x, y in batches:
            sgd.zero_grad()
            out = model(x)
            loss = nn.functional.cross_entropy(out, y)
            loss.backward()
            hand.step(step, loss.item(), sgd, "sgd")
            hand.saw("train", loss.item(), len(x), "sgd", correct=(out.argmax(1) == y).sum())
            sgd.step()
            step += 1
            yield
        hand.end("train", epoch, "sgd")


def loop(hand):
    torch.manual_seed(117)
    xs, ys = torch.randn(48, 5), torch.randint(0, 3, (48,))
    linear, deep = nn.Linear(5, 3), nn.Sequential(nn.Linear(5, 9), nn.ReLU(), nn.Linear(9, 3))
    adam = torch.optim.Adam(linear.parameters(), lr=0.01)
    sgd = torch.optim.SGD(deep.parameters(), lr=0.1)
    short, long = list(zip(xs.split(24), ys.split(24))), list(zip(xs.split(12), ys.split(12)))
    trainings = [train_linear(linear, adam, short, hand), train_deep(deep, sgd, long, hand)]
    while trainings:
        trainings = [t for t in trainings if next(t, "done") != "done"]
    return linear, deep, adam, sgd
