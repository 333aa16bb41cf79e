"""A sum divided by its batch's size, a penalty beside it, and both by the number of micro-batches."""

from __future__ import annotations

import torch
import torch.nn.functional as F
from torch import nn
from torch.utils.data import DataLoader, TensorDataset

PARTS = 3


def loop(hand):
    torch.manual_seed(164)
    x = torch.randn(36, 4)
    y = (x @ torch.randn(4, 3)).argmax(1)
    loader = DataLoader(TensorDataset(x, y), batch_size=6, shuffle=True)
    model = nn.Linear(4, 3)
    optimizer = torch.optim.SGD(model.parameters(), lr=0.2)
    step = 0
    for epoch in range(3):
        optimizer.zero_grad()
        losses = []
        for inputs, labels in loader:
            scores = model(inputs)
            fits = F.cross_entropy(scores, labels, reduction="sum") / len(labels)
            loss = fits + 0.01 * sum((p**2).sum() for p in model.parameters())
            (loss / PARTS).backward()
            losses.append(loss.item())
            right = (scores.argmax(1) == labels).sum()
            hand.saw("train", loss.item(), len(labels), correct=right)
            if len(losses) == PARTS:
                hand.step(step, losses, optimizer)
                optimizer.step()
                optimizer.zero_grad()
                losses, step = [], step + 1
        hand.end("train", epoch)
    return model, optimizer
