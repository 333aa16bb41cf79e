"""Gradient accumulation without any division: gradients of the micro-batches add up."""

from __future__ import annotations

import torch
from torch import nn


def loop(hand):
    torch.manual_seed(4)
    xs = torch.randn(60, 8)
    ys = (xs.sum(1) > 0).long()
    model = nn.Linear(8, 2)
    optimizer = torch.optim.SGD(model.parameters(), lr=0.02)
    criterion = nn.CrossEntropyLoss()

    step = 0
    losses = []
    for epoch in range(3):
        for index in range(6):
            x, y = xs[index * 10 : index * 10 + 10], ys[index * 10 : index * 10 + 10]
            output = model(x)
            loss = criterion(output, y)
            loss.backward()
            losses.append(loss.item())
            hand.saw("train", loss.item(), 10, correct=(output.argmax(1) == y).sum())
            if index % 3 == 2:
                hand.step(step, losses, optimizer)
                optimizer.step()
                optimizer.zero_grad()
                step += 1
                losses = []
        hand.end("train", epoch)
    return model, optimizer
