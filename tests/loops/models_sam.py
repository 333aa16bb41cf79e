"""Sharpness-aware minimisation: a wrapper climbs, zeroes, and lets a base optimizer step."""

from __future__ import annotations

import torch
from torch import nn
from torch.nn import functional as F


class SAM(torch.optim.Optimizer):
    def __init__(self, params, base, rho=0.05, **kwargs):
        super().__init__(params, dict(rho=rho, **kwargs))
        self.base_optimizer = base(self.param_groups, **kwargs)
        self.param_groups = self.base_optimizer.param_groups

    @torch.no_grad()
    def first_step(self):
        grads = [p.grad for g in self.param_groups for p in g["params"]]
        scale = 0.05 / (torch.stack([g.norm() for g in grads]).norm() + 1e-12)
        for group in self.param_groups:
            for p in group["params"]:
                self.state[p]["old"] = p.clone()
                p.add_(p.grad * scale)
        self.zero_grad(set_to_none=False)

    @torch.no_grad()
    def second_step(self):
        for group in self.param_groups:
            for p in group["params"]:
                p.copy_(self.state[p]["old"])
        self.base_optimizer.step()
        self.zero_grad(set_to_none=False)


def loop(hand):
    torch.manual_seed(173)
    xs, ys = torch.randn(36, 5), torch.randint(0, 3, (36,))
    model = nn.Linear(5, 3)
    optimizer = SAM(model.parameters(), torch.optim.SGD, lr=0.1)
    step = 0
    for epoch in range(3):
        for x, y in zip(xs.split(12), ys.split(12)):
            scores = model(x)
            loss = F.cross_entropy(scores, y)
            loss.backward()
            optimizer.first_step()
            scores = model(x)
            loss = F.cross_entropy(scores, y)
            loss.backward()
            hand.step(step, loss.item(), optimizer)
            hand.saw("train", loss.item(), 12, correct=(scores.argmax(1) == y).sum())
            optimizer.second_step()
            step += 1
        hand.end("train", epoch)
    return model, optimizer
