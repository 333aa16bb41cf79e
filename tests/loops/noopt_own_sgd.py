"""An optimizer class of one's own that is no `torch.optim.Optimizer`."""

from __future__ import annotations

import torch
from torch import nn


class SGD:
    def __init__(self, params, lr):
        self.params = list(params)
        self.lr = lr

    def zero_grad(self):
        for p in self.params:
            p.grad = None

    @torch.no_grad()
    def step(self):
        for p in self.params:
            p -= self.lr * p.grad


def loop(hand):
    torch.manual_seed(82)
    xs, ys = torch.randn(48, 5), torch.randint(0, 3, (48,))
    model = nn.Linear(5, 3)
    optimizer = SGD(model.parameters(), lr=0.1)

    step = 0
    for epoch in range(3):
        for x, y in zip(xs.split(16), ys.split(16)):
            out = model(x)
            loss = nn.functional.cross_entropy(out, y)
            optimizer.zero_grad()
            loss.backward()
            hand.add("Loss/train", step, loss.item())
            hand.gradient_norm(step, model.parameters())
            hand.saw("train", loss.item(), 16, correct=(out.argmax(1) == y).sum())
            optimizer.step()
            step += 1
        hand.end("train", epoch)
    return model
