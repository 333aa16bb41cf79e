"""A backward that raises and is caught, as when memory runs out: the batch is left out."""

from __future__ import annotations

import torch
from torch import nn


class Fragile(torch.autograd.Function):
    @staticmethod
    def forward(ctx, x, fail):
        ctx.fail = fail
        return x.clone()

    @staticmethod
    def backward(ctx, gradient):
        if ctx.fail:
            raise MemoryError("out of memory")
        return gradient, None


def loop(hand):
    torch.manual_seed(147)
    xs, ys = torch.randn(48, 5), torch.randint(0, 3, (48,))
    model = nn.Linear(5, 3)
    optimizer = torch.optim.SGD(model.parameters(), lr=0.1)

    step = 0
    for epoch in range(3):
        for i, (x, y) in enumerate(zip(xs.split(16), ys.split(16))):
            optimizer.zero_grad()
            out = Fragile.apply(model(x), (epoch, i) == (1, 1))
            loss = nn.functional.cross_entropy(out, y)
            try:
                loss.backward()
            except MemoryError:
                print("skipping a batch")
                continue
            hand.step(step, loss.item(), optimizer)
            hand.saw("train", loss.item(), 16, correct=(out.argmax(1) == y).sum())
            optimizer.step()
            step += 1
        hand.end("train", epoch)
    return model, optimizer
