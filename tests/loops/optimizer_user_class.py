"""A user-written subclass of `torch.optim.Optimizer`."""

from __future__ import annotations

import torch
from torch import nn


class SignSGD(torch.optim.Optimizer):
    def __init__(self, params, lr=0.01):
        super().__init__(params, {"lr": lr})

    @torch.no_grad()
    def step(self, closure=None):
        for group in self.param_groups:
            for p in group["params"]:
                if p.grad is not None:
                    p.add_(p.grad.sign(), alpha=-group["lr"])


def loop(hand):
    torch.manual_seed(84)
    xs, ys = torch.randn(48, 5), torch.randint(0, 3, (48,))
    model = nn.Linear(5, 3)
    optimizer = SignSGD(model.parameters(), lr=0.02)
    criterion = nn.CrossEntropyLoss()

    step = 0
    for epoch in range(3):
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
