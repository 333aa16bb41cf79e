"""A learning rate held in a tensor and changed in place, as with compiled optimizers."""

from __future__ import annotations

import torch
from torch import nn


def loop(hand):
    torch.manual_seed(76)
    xs, ys = torch.randn(36, 5), torch.randint(0, 3, (36,))
    model = nn.Linear(5, 3)
    lr = torch.tensor(0.05)
    optimizer = torch.optim.SGD(model.parameters(), lr=lr)

    step = 0
    for epoch in range(3):
        for x, y in zip(xs.split(12), ys.split(12)):
            optimizer.zero_grad()
            out = model(x)
            loss = nn.functional.cross_entropy(out, y)
            loss.backward()
            hand.step(step, loss.item(), optimizer)
            hand.saw("train", loss.item(), 12, correct=(out.argmax(1) == y).sum())
            optimizer.step()
            lr.mul_(0.8)
            step += 1
        hand.end("train", epoch)
    return model, optimizer
