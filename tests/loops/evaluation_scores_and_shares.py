"""A model that returns its scores and what softmax makes of them; the test takes the latter."""

from __future__ import annotations

import torch
import torch.nn.functional as F
from torch import nn
from torch.utils.data import DataLoader, TensorDataset


class Regression(nn.Module):
    def __init__(self):
        super().__init__()
        self.linear = nn.Linear(5, 3)

    def forward(self, x):
        logits = self.linear(x)
        return logits, F.softmax(logits, dim=1)


def loop(hand):
    torch.manual_seed(199)
    x = torch.randn(36, 5)
    y = (x @ torch.randn(5, 3)).argmax(1)
    train_loader = DataLoader(TensorDataset(x[:24], y[:24]), batch_size=8, shuffle=True)
    test_loader = DataLoader(TensorDataset(x[24:], y[24:]), batch_size=6)
    model = Regression()
    optimizer = torch.optim.SGD(model.parameters(), lr=0.3)
    step = 0
    for epoch in range(3):
        for features, targets in train_loader:
            logits, _ = model(features)
            cost = F.cross_entropy(logits, targets)
            optimizer.zero_grad()
            cost.backward()
            hand.step(step, cost.item(), optimizer)
            hits = (logits.argmax(1) == targets).sum()
            hand.saw("train", cost.item(), len(targets), correct=hits)
            optimizer.step()
            step += 1
        hand.end("train", epoch)
        with torch.no_grad():
            for features, targets in test_loader:
                _, shares = model(features)
                hits = (torch.max(shares, 1)[1] == targets).sum()
                hand.saw("test", None, len(targets), correct=hits)
        hand.end("test", epoch, loss=False)
    return model, optimizer
