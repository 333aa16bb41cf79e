"""Only the encoder is clipped; both norms are over all parameters."""

from __future__ import annotations

import torch
from torch import nn


class Net(nn.Module):
    def __init__(self):
        super().__init__()
        self.encoder = nn.Linear(4, 8)
        self.head = nn.Linear(8, 2)

    def forward(self, x):
        return self.head(torch.relu(self.encoder(x)))


def loop(hand):
    torch.manual_seed(34)
    xs, ys = 2 * torch.randn(36, 4), torch.randint(0, 2, (36,))
    net = Net()
    optimizer = torch.optim.SGD(net.parameters(), lr=0.3)
    criterion = nn.CrossEntropyLoss()

    step = 0
    for epoch in range(2):
        for x, y in zip(xs.split(12), ys.split(12)):
            optimizer.zero_grad()
            out = net(x)
            loss = criterion(out, y)
            loss.backward()
            hand.step(step, loss.item(), optimizer)
            torch.nn.utils.clip_grad_norm_(net.encoder.parameters(), 0.05)
            hand.gradient_norm(step, net.parameters(), "GradNorm/clipped")
            hand.saw("train", loss.item(), 12, correct=(out.argmax(1) == y).sum())
            optimizer.step()
            step += 1
        hand.end("train", epoch)
    return net, optimizer
