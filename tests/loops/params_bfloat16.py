"""bfloat16 parameters and a bfloat16 loss."""

from __future__ import annotations

import torch
from torch import nn


def loop(hand):
    torch.manual_seed(95)
    xs, ys = torch.randn(48, 4).bfloat16(), torch.randint(0, 3, (48,))
    model = nn.Linear(4, 3, dtype=torch.bfloat16)
    optimizer = torch.optim.SGD(model.parameters(), lr=0.1)
    criterion = nn.CrossEntropyLoss()

    step = 0
    for epoch in range(2):
        for x, y in zip(xs.split(16), ys.split(16)):
            optimizer.zero_grad()
            out = model(x)
            loss = criterion(out, y)
            loss.backward()
            hand.step(step, loss.item(), optimizer)
            hand.saw("train", loss.item(), 16, correct=(out.argmax(1) == y).sum())
            optimizer.step()
            step += 1
        hand.end("train", epoch)
    return model, optimizer
