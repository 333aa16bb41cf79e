"""Padded tokens: the sum over those not ignored, divided by their number as a Python number."""

from __future__ import annotations

import torch
import torch.nn.functional as F
from torch import nn
from torch.utils.data import DataLoader, TensorDataset


def loop(hand):
    torch.manual_seed(320)
    x = torch.randn(14, 6, 5)
    y = torch.randint(0, 4, (14, 6))
    y[torch.rand(14, 6) < 0.3] = -100
    loader = DataLoader(TensorDataset(x, y), batch_size=4)
    model = nn.Linear(5, 4)
    optimizer = torch.optim.SGD(model.parameters(), lr=0.3)
    step = 0
    for epoch in range(3):
        for inputs, labels in loader:
            scores = model(inputs).transpose(1, 2)
            valid = (labels != -100).sum().item()
            loss = F.cross_entropy(scores, labels, reduction="sum") / valid
            optimizer.zero_grad()
            loss.backward()
            hand.step(step, loss.item(), optimizer)
            hits = (scores.argmax(1) == labels)[labels != -100].sum()
            hand.saw("train", loss.item(), valid, correct=hits)
            optimizer.step()
            step += 1
        hand.end("train", epoch)
    return model, optimizer
