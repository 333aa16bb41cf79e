"""The user looks at the loss and leaves a bad batch out, before its backward."""

from __future__ import annotations

import torch
from torch import nn


def loop(hand):
    torch.manual_seed(103)
    xs, ys = torch.randn(48, 5), torch.randint(0, 3, (48,))
    xs[20, 3] = float("inf")
    model = nn.Linear(5, 3)
    optimizer = torch.optim.SGD(model.parameters(), lr=0.1)
    criterion = nn.CrossEntropyLoss()

    step = 0
    for epoch in range(3):
        for x, y in zip(xs.split(16), ys.split(16)):
            out = model(x)
            loss = criterion(out, y)
            if not torch.isfinite(loss):
                continue
            optimizer.zero_grad()
            loss.backward()
            hand.step(step, loss.item(), optimizer)
            hand.saw("train", loss.item(), 16, correct=(out.argmax(1) == y).sum())
            optimizer.step()
            step += 1
        hand.end("train", epoch)
    assert step == 6
    return model, optimizer
