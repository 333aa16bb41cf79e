"""Some parameters never get a gradient: an unused layer, and one that is frozen half-way."""

from __future__ import annotations

import torch
from torch import nn


class Net(nn.Module):
    def __init__(self):
        super().__init__()
        self.body = nn.Linear(5, 8)
        self.head = nn.Linear(8, 3)
        self.old_head = nn.Linear(8, 7)

    def forward(self, x):
        return self.head(self.body(x).relu())


def loop(hand):
    torch.manual_seed(97)
    xs, ys = torch.randn(48, 5), torch.randint(0, 3, (48,))
    net = Net()
    optimizer = torch.optim.Adam(net.parameters(), lr=0.02)
    criterion = nn.CrossEntropyLoss()

    step = 0
    for epoch in range(4):
        if epoch == 2:
            net.body.requires_grad_(False)
        for x, y in zip(xs.split(16), ys.split(16)):
            optimizer.zero_grad()
            out = net(x)
            loss = criterion(out, y)
            loss.backward()
            hand.step(step, loss.item(), optimizer)
            hand.saw("train", loss.item(), 16, correct=(out.argmax(1) == y).sum())
            optimizer.step()
            step += 1
        hand.end("train", epoch)
    return net, optimizer
