"""One training function as a generator, run twice side by side: both optimizers have one name.

They are two optimizers all the same: the second is told apart by a number.
"""

from __future__ import annotations

import torch
from torch import nn


def train(model, batches, epochs, hand, stream):
    optimizer = torch.optim.SGD(model.parameters(), lr=0.1)
    step = 0
    for epoch in range(epochs):
        for x, y in batches:
            optimizer.zero_grad()
            out = model(x)
            loss = nn.functional.cross_entropy(out, y)
            loss.backward()
            hand.step(step, loss.item(), optimizer, stream)
            hand.saw("train", loss.item(), len(x), stream, correct=(out.argmax(1) == y).sum())
            optimizer.step()
            step += 1
            yield
        hand.end("train", epoch, stream)


def loop(hand):
    torch.manual_seed(152)
    xs, ys = torch.randn(36, 5), torch.randint(0, 3, (36,))
    batches = list(zip(xs.split(12), ys.split(12)))
    linear, deep = nn.Linear(5, 3), nn.Sequential(nn.Linear(5, 9), nn.ReLU(), nn.Linear(9, 3))
    first = train(linear, batches, 2, hand, "optimizer")
    second = train(deep, batches, 2, hand, "optimizer_2")
    while next(first, "done") != "done":
        next(second)
    next(second, None)
    return linear, deep
