"""No optimizer: a module's parameters updated in a loop, gradients cleared with `zero_grad`."""

from __future__ import annotations

import torch
from torch import nn


def loop(hand):
    torch.manual_seed(81)
    xs, ys = torch.randn(48, 5), torch.randint(0, 3, (48,))
    model = nn.Sequential(nn.Linear(5, 8), nn.ReLU(), nn.Linear(8, 3))
    criterion = nn.CrossEntropyLoss()

    step = 0
    for epoch in range(3):
        for x, y in zip(xs.split(16), ys.split(16)):
            model.zero_grad()
            out = model(x)
            loss = criterion(out, y)
            loss.backward()
            hand.add("Loss/train", step, loss.item())
            hand.gradient_norm(step, model.parameters())
            hand.saw("train", loss.item(), 16, correct=(out.argmax(1) == y).sum())
            for p in model.parameters():
                p.data.add_(p.grad, alpha=-0.1)
            step += 1
        hand.end("train", epoch)
    return model
