"""The test forgets `no_grad` and calls no criterion: outputs beside labels are its accuracy all the same.

Where the training set is looked at so, nothing says that the pass is no training's.
"""

from __future__ import annotations

import torch
from torch import nn
from torch.utils.data import DataLoader, TensorDataset

ABSENT = {"Loss/test", "Loss/train_eval", "Accuracy/train_eval"}


def accuracy_of(net, loader):
    right, seen = 0, 0
    for features, targets in loader:
        logits, _ = net(features)
        right += (logits.argmax(1) == targets).sum()
        seen += len(targets)
    return 100 * right.item() / seen


class WithShares(nn.Module):
    def __init__(self):
        super().__init__()
        self.last = nn.Linear(4, 3)

    def forward(self, x):
        logits = self.last(x)
        return logits, logits.softmax(1)


def loop(hand):
    torch.manual_seed(408)
    x = torch.randn(31, 4)
    y = (x @ torch.randn(4, 3)).argmax(1)
    train_loader = DataLoader(TensorDataset(x[:18], y[:18]), batch_size=6, shuffle=True)
    test_loader = DataLoader(TensorDataset(x[18:], y[18:]), batch_size=5)
    net = WithShares()
    optimizer = torch.optim.SGD(net.parameters(), lr=0.3)
    step, told = 0, []
    for epoch in range(3):
        net.train()
        for features, targets in train_loader:
            logits, _ = net(features)
            cost = nn.functional.cross_entropy(logits, targets)
            optimizer.zero_grad()
            cost.backward()
            hand.step(step, cost.item(), optimizer)
            hits = (logits.argmax(1) == targets).sum()
            hand.saw("train", cost.item(), len(targets), correct=hits)
            optimizer.step()
            step += 1
        hand.end("train", epoch)
        net.eval()
        told.append(accuracy_of(net, train_loader))
        hand.add("Accuracy/test", epoch, accuracy_of(net, test_loader))
    return told, net, optimizer
