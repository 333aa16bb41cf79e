"""Lookahead around SGD: the wrapper is an optimizer of its own and lets the inner one step."""

from __future__ import annotations

import torch
import torch.nn.functional as F
from torch import nn


class Lookahead(torch.optim.Optimizer):
    def __init__(self, base, k=3, alpha=0.5):
        super().__init__(base.param_groups, {})
        self.base, self.k, self.alpha, self.count = base, k, alpha, 0
        self.param_groups = base.param_groups
        self.slow = [[p.detach().clone() for p in g["params"]] for g in base.param_groups]

    def step(self, closure=None):
        loss = self.base.step(closure)
        self.count += 1
        if self.count % self.k == 0:
            with torch.no_grad():
                for group, slow in zip(self.param_groups, self.slow):
                    for p, s in zip(group["params"], slow):
                        s.add_(p - s, alpha=self.alpha)
                        p.copy_(s)
        return loss


def loop(hand):
    torch.manual_seed(306)
    xs, ys = torch.randn(24, 4), torch.randint(0, 3, (24,))
    model = nn.Linear(4, 3)
    optimizer = Lookahead(torch.optim.SGD(model.parameters(), lr=0.2))
    step = 0
    for epoch in range(4):
        for x, y in zip(xs.split(8), ys.split(8)):
            optimizer.zero_grad()
            out = model(x)
            loss = F.cross_entropy(out, y)
            loss.backward()
            hand.step(step, loss.item(), optimizer)
            hand.saw("train", loss.item(), len(x), correct=(out.argmax(1) == y).sum())
            optimizer.step()
            step += 1
        hand.end("train", epoch)
    return model, optimizer.base
