"""`train` overridden with an argument of its own and without a return value."""

from __future__ import annotations

import torch
from torch import nn


class Net(nn.Module):
    def __init__(self):
        super().__init__()
        self.linear = nn.Linear(5, 8)
        self.norm = nn.BatchNorm1d(8)
        self.head = nn.Linear(8, 3)

    def train(self, freeze_norm=False):
        super().train(True)
        if freeze_norm:
            self.norm.eval()

    def forward(self, x):
        return self.head(self.norm(self.linear(x)).relu())


def loop(hand):
    torch.manual_seed(113)
    xs, ys = torch.randn(48, 5), torch.randint(0, 3, (48,))
    model = Net()
    optimizer = torch.optim.SGD(model.parameters(), lr=0.1)

    step = 0
    for epoch in range(3):
        model.train(freeze_norm=epoch > 0)
        for x, y in zip(xs.split(16), ys.split(16)):
            optimizer.zero_grad()
            out = model(x)
            loss = nn.functional.cross_entropy(out, y)
            loss.backward()
            hand.step(step, loss.item(), optimizer)
            hand.saw("train", loss.item(), 16, correct=(out.argmax(1) == y).sum())
            optimizer.step()
            step += 1
        hand.end("train", epoch)
    return model, optimizer
