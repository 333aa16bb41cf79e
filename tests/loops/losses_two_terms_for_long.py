"""Classes and a number from one network, their losses weighted and added, in long epochs."""

from __future__ import annotations

import torch
import torch.nn.functional as F
from torch import nn
from torch.utils.data import DataLoader, TensorDataset


class Both(nn.Module):
    def __init__(self):
        super().__init__()
        self.body = nn.Linear(5, 9)
        self.which = nn.Linear(9, 3)
        self.much = nn.Linear(9, 1)

    def forward(self, x):
        inner = torch.relu(self.body(x))
        return self.which(inner), self.much(inner)


def loop(hand):
    torch.manual_seed(8)
    x = torch.randn(100, 5)
    which, much = (x @ torch.randn(5, 3)).argmax(1), x.sum(1, keepdim=True)
    loader = DataLoader(TensorDataset(x, which, much), batch_size=5, shuffle=True)
    net = Both()
    optimizer = torch.optim.Adam(net.parameters(), lr=0.01)
    step = 0
    for epoch in range(3):
        for xb, wb, mb in loader:
            scores, amount = net(xb)
            classes, size = F.cross_entropy(scores, wb), F.smooth_l1_loss(amount, mb)
            loss = 0.7 * classes + (0.1 + 0.01 * step) * size
            optimizer.zero_grad()
            loss.backward()
            hand.step(step, loss.item(), optimizer)
            hand.add("Loss/train/cross_entropy", step, classes.item())
            hand.add("Loss/train/smooth_l1_loss", step, size.item())
            correct = (scores.argmax(1) == wb).sum()
            hand.saw("train", loss.item(), len(xb), correct=correct, output=amount, target=mb)
            optimizer.step()
            step += 1
        hand.end("train", epoch)
    return net, optimizer
