"""One bad sample makes the loss NaN in the third epoch, and everything after it."""

from __future__ import annotations

import torch
from torch import nn


def loop(hand):
    torch.manual_seed(100)
    xs, ys = torch.randn(48, 5), torch.randint(0, 3, (48,))
    model = nn.Linear(5, 3)
    optimizer = torch.optim.SGD(model.parameters(), lr=0.1)
    criterion = nn.CrossEntropyLoss()

    step = 0
    for epoch in range(4):
        if epoch == 2:
            xs[20, 3] = float("nan")
        for x, y in zip(xs.split(16), ys.split(16)):
            optimizer.zero_grad()
            out = model(x)
            loss = criterion(out, y)
            loss.backward()
            hand.step(step, loss.item(), optimizer)
            correct = (out.argmax(1) == y) & ~out.isnan().any(1)
            hand.saw("train", loss.item(), 16, correct=correct.sum())
            optimizer.step()
            step += 1
        hand.end("train", epoch)
    return model, optimizer
