"""Micro-batches of different sizes: the loss of the step is weighted by size."""

from __future__ import annotations

import torch
from torch import nn


def loop(hand):
    torch.manual_seed(9)
    sizes = [8, 8, 3, 8, 8, 5]
    xs, ys = torch.randn(40, 4), torch.randint(0, 3, (40,))
    batches = list(zip(xs.split(sizes), ys.split(sizes)))
    model = nn.Linear(4, 3)
    optimizer = torch.optim.SGD(model.parameters(), lr=0.1)
    criterion = nn.CrossEntropyLoss()

    step, losses, counts = 0, [], []
    for epoch in range(3):
        for i, (x, y) in enumerate(batches):
            out = model(x)
            loss = criterion(out, y)
            (loss / 3).backward()
            losses.append(loss.item())
            counts.append(len(x))
            hand.saw("train", loss.item(), len(x), correct=(out.argmax(1) == y).sum())
            if i % 3 == 2:
                hand.step(step, losses, optimizer, sizes=counts)
                optimizer.step()
                optimizer.zero_grad()
                step, losses, counts = step + 1, [], []
        hand.end("train", epoch)
    return model, optimizer
