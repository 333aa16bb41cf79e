"""`loss /= 2` in place after backward, for a printed line: the loss of the step was the whole one."""

from __future__ import annotations

import torch
from torch import nn


def loop(hand):
    torch.manual_seed(57)
    xs, ys = torch.randn(48, 5), torch.randint(0, 3, (48,))
    model = nn.Linear(5, 3)
    optimizer = torch.optim.SGD(model.parameters(), lr=0.1)
    printed = []

    step = 0
    for epoch in range(2):
        for x, y in zip(xs.split(16), ys.split(16)):
            optimizer.zero_grad()
            out = model(x)
            loss = nn.functional.cross_entropy(out, y)
            loss.backward()
            value = loss.item()
            with torch.no_grad():
                loss /= 2
            hand.step(step, value, optimizer)
            hand.saw("train", value, 16, correct=(out.argmax(1) == y).sum())
            optimizer.step()
            printed.append(f"{loss.item():.4f}")
            step += 1
        hand.end("train", epoch)
    return model, optimizer, printed
