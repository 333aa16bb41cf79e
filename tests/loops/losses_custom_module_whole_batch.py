"""A criterion module of one's own, the whole data as one batch: validated after its very first step."""

from __future__ import annotations

import torch
import torch.nn.functional as F
from torch import nn


class Softened(nn.Module):
    def forward(self, scores, labels):
        return F.cross_entropy(scores, labels, label_smoothing=0.1)


def loop(hand):
    torch.manual_seed(171)
    x, fresh = torch.randn(24, 4), torch.randn(9, 4)
    rule = torch.randn(4, 3)
    y, expected = (x @ rule).argmax(1), (fresh @ rule).argmax(1)
    model = nn.Linear(4, 3)
    compare = Softened()
    optimizer = torch.optim.SGD(model.parameters(), lr=0.3)
    for epoch in range(4):
        model.train()
        scores = model(x)
        loss = compare(scores, y)
        optimizer.zero_grad()
        loss.backward()
        hand.step(epoch, loss.item(), optimizer)
        hand.saw("train", loss.item(), len(y), correct=(scores.argmax(1) == y).sum())
        optimizer.step()
        hand.end("train", epoch)
        model.eval()
        with torch.no_grad():
            scores = model(fresh)
            found = compare(scores, expected).item()
        hand.saw("val", found, len(fresh), correct=(scores.argmax(1) == expected).sum())
        hand.end("val", epoch)
    return model, optimizer
