"""A criterion of one's own that returns the loss first, then its parts: one to look at, one plain."""

from __future__ import annotations

import torch
import torch.nn.functional as F
from torch import nn
from torch.utils.data import DataLoader, TensorDataset


class LossWithParts(nn.Module):
    def forward(self, scores, labels):
        ce = F.cross_entropy(scores, labels)
        calm = 0.1 * scores.pow(2).mean()
        return ce + calm, ce, calm.item()


def loop(hand):
    torch.manual_seed(329)
    x = torch.randn(34, 5)
    y = (x @ torch.randn(5, 3)).argmax(1)
    train_loader = DataLoader(TensorDataset(x[:20], y[:20]), batch_size=8)
    test_loader = DataLoader(TensorDataset(x[20:], y[20:]), batch_size=6)
    model, criterion = nn.Linear(5, 3), LossWithParts()
    optimizer = torch.optim.SGD(model.parameters(), lr=0.2)
    step = 0
    for epoch in range(3):
        model.train()
        for inputs, labels in train_loader:
            scores = model(inputs)
            loss, _, _ = criterion(scores, labels)
            optimizer.zero_grad()
            loss.backward()
            hand.step(step, loss.item(), optimizer)
            hits = (scores.argmax(1) == labels).sum()
            hand.saw("train", loss.item(), len(labels), correct=hits)
            optimizer.step()
            step += 1
        hand.end("train", epoch)
        model.eval()
        with torch.no_grad():
            for inputs, labels in test_loader:
                scores = model(inputs)
                loss, _, _ = criterion(scores, labels)
                hits = (scores.argmax(1) == labels).sum()
                hand.saw("test", loss.item(), len(labels), correct=hits)
        hand.end("test", epoch)
    return model, optimizer
