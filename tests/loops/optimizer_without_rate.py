"""An optimizer whose groups have no `lr`: there is no learning rate to record."""

from __future__ import annotations

import torch
from torch import nn

ABSENT = {"LearningRate/group0"}


class Halver(torch.optim.Optimizer):
    """Moves every weight by a fixed size that halves over time."""

    def __init__(self, params, size):
        super().__init__(params, {"size": size, "halve_every": 4})
        self.calls = 0

    @torch.no_grad()
    def step(self):
        self.calls += 1
        for group in self.param_groups:
            size = group["size"] * 0.5 ** (self.calls // group["halve_every"])
            for p in group["params"]:
                p -= size * p.grad


def loop(hand):
    torch.manual_seed(85)
    xs, ys = torch.randn(48, 5), torch.randint(0, 3, (48,))
    model = nn.Linear(5, 3)
    optimizer = Halver(model.parameters(), size=0.2)

    step = 0
    for epoch in range(3):
        for x, y in zip(xs.split(16), ys.split(16)):
            optimizer.zero_grad()
            out = model(x)
            loss = nn.functional.cross_entropy(out, y)
            loss.backward()
            hand.add("Loss/train", step, loss.item())
            hand.gradient_norm(step, model.parameters())
            hand.saw("train", loss.item(), 16, correct=(out.argmax(1) == y).sum())
            optimizer.step()
            step += 1
        hand.end("train", epoch)
    return model, optimizer
