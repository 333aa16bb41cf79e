"""One loss a sample and `backward(gradient=...)`: what is minimised is their weighted sum."""

from __future__ import annotations

import torch
from torch import nn


def loop(hand):
    torch.manual_seed(58)
    xs, ys = torch.randn(48, 5), torch.randint(0, 3, (48,))
    model = nn.Linear(5, 3)
    optimizer = torch.optim.SGD(model.parameters(), lr=0.1)
    criterion = nn.CrossEntropyLoss(reduction="none")

    step = 0
    for epoch in range(2):
        for x, y in zip(xs.split(16), ys.split(16)):
            optimizer.zero_grad()
            out = model(x)
            losses = criterion(out, y)
            weights = torch.full_like(losses, 1 / len(x))
            losses.backward(gradient=weights)
            value = (losses.detach() * weights).sum().item()
            hand.step(step, value, optimizer, rtol=1e-6)
            hand.saw("train", value, 16, correct=(out.argmax(1) == y).sum())
            optimizer.step()
            step += 1
        hand.end("train", epoch)
    return model, optimizer
