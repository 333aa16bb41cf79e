"""Adam first, SGD later, in the same variable: one stream whose steps run on."""

from __future__ import annotations

import torch
from torch import nn


def loop(hand):
    torch.manual_seed(67)
    xs, ys = torch.randn(48, 5), torch.randint(0, 3, (48,))
    model = nn.Linear(5, 3)
    optimizer = torch.optim.Adam(model.parameters(), lr=0.01)
    criterion = nn.CrossEntropyLoss()

    step = 0
    for epoch in range(4):
        if epoch == 2:
            optimizer = torch.optim.SGD(model.parameters(), lr=0.1)
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
