"""A property that makes an optimizer each time it is asked for one: for the step, and once more.

No variable holds any of them, and none lives at a backward: the first may be a step by hand.
"""

from __future__ import annotations

import torch
from torch import nn


class Classifier(nn.Module):
    def __init__(self):
        super().__init__()
        self.layers = nn.Sequential(nn.Linear(4, 6), nn.ReLU(), nn.Linear(6, 3))

    def forward(self, x):
        return self.layers(x)

    @property
    def optimizer(self):
        return torch.optim.SGD(self.parameters(), lr=0.2)


def loop(hand):
    torch.manual_seed(94)
    xs, ys = torch.randn(30, 4), torch.randint(0, 3, (30,))
    model = Classifier()
    step = 0
    for epoch in range(3):
        for x, y in zip(xs.split(10), ys.split(10), strict=True):
            out = model(x)
            loss = nn.functional.cross_entropy(out, y)
            loss.backward()
            hand.add("Loss/train", step, loss.item())
            hand.gradient_norm(step, model.parameters())
            hand.saw("train", loss.item(), 10, correct=(out.argmax(1) == y).sum())
            hand.add("LearningRate/group0", step, 0.2)
            model.optimizer.step()
            model.optimizer.zero_grad()
            step += 1
        hand.end("train", epoch)
    return model
