"""The last group of an epoch is smaller, and its losses are divided by its own size."""

from __future__ import annotations

import torch
from torch import nn


def loop(hand):
    torch.manual_seed(140)
    xs, ys = torch.randn(60, 4), torch.randint(0, 3, (60,))
    batches = list(zip(xs.split(6), ys.split(6)))
    model = nn.Linear(4, 3)
    optimizer = torch.optim.SGD(model.parameters(), lr=0.1)
    criterion = nn.CrossEntropyLoss()

    step = 0
    for epoch in range(2):
        for first in range(0, len(batches), 4):
            group = batches[first : first + 4]
            optimizer.zero_grad()
            losses = []
            for x, y in group:
                out = model(x)
                loss = criterion(out, y)
                (loss / len(group)).backward()
                losses.append(loss.item())
                hand.saw("train", loss.item(), len(x), correct=(out.argmax(1) == y).sum())
            hand.step(step, losses, optimizer)
            optimizer.step()
            step += 1
        hand.end("train", epoch)
    return model, optimizer
