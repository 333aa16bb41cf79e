"""Gradient accumulation: every loss is divided by the number of micro-batches."""

from __future__ import annotations

import torch
from torch import nn
from torch.utils.data import DataLoader, TensorDataset

ACCUMULATION_STEPS = 4


def loop(hand):
    torch.manual_seed(1)
    inputs = torch.randn(64, 10)
    labels = (inputs[:, 0] > 0).long() + (inputs[:, 1] > 1).long()
    loader = DataLoader(TensorDataset(inputs, labels), batch_size=8, shuffle=True)
    model = nn.Sequential(nn.Linear(10, 16), nn.ReLU(), nn.Linear(16, 3))
    optimizer = torch.optim.SGD(model.parameters(), lr=0.1)
    criterion = nn.CrossEntropyLoss()

    step, group = 0, []
    for epoch in range(3):
        for i, (x, y) in enumerate(loader):
            out = model(x)
            loss = criterion(out, y) / ACCUMULATION_STEPS
            loss.backward()
            group.append(loss.item() * ACCUMULATION_STEPS)
            hand.saw("train", group[-1], len(x), correct=(out.argmax(1) == y).sum())
            if (i + 1) % ACCUMULATION_STEPS == 0:
                hand.step(step, group, optimizer)
                optimizer.step()
                optimizer.zero_grad()
                step, group = step + 1, []
        hand.end("train", epoch)
    return model, optimizer
