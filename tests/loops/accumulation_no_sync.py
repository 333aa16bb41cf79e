"""A wrapper with `no_sync()` as in DistributedDataParallel: one backward line under a context."""

from __future__ import annotations

import contextlib

import torch
from torch import nn


class Replicated(nn.Module):
    def __init__(self, module):
        super().__init__()
        self.module = module
        self.synchronise = True

    def forward(self, x):
        return self.module(x)

    @contextlib.contextmanager
    def no_sync(self):
        self.synchronise = False
        try:
            yield
        finally:
            self.synchronise = True


def loop(hand):
    torch.manual_seed(6)
    xs, ys = torch.randn(48, 4), torch.randint(0, 2, (48,))
    model = Replicated(nn.Linear(4, 2))
    optimizer = torch.optim.SGD(model.parameters(), lr=0.1)
    steps_per_update = 3

    step, group = 0, []
    for epoch in range(2):
        for i, (x, y) in enumerate(zip(xs.split(8), ys.split(8))):
            last = (i + 1) % steps_per_update == 0
            with contextlib.nullcontext() if last else model.no_sync():
                out = model(x)
                loss = nn.functional.cross_entropy(out, y) / steps_per_update
                loss.backward()
            group.append(loss.item() * steps_per_update)
            hand.saw("train", group[-1], len(x), correct=(out.argmax(1) == y).sum())
            if last:
                hand.step(step, group, optimizer)
                optimizer.step()
                optimizer.zero_grad()
                step, group = step + 1, []
        hand.end("train", epoch)
    return model, optimizer
