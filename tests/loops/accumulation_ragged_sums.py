"""Sums divided by their own batch's size and by the number of micro-batches, the last one smaller."""

from __future__ import annotations

import torch
from torch import nn

PARTS = 2


def loop(hand):
    torch.manual_seed(163)
    x = torch.randn(26, 5)
    y = x[:, :2].sum(1, keepdim=True) + 0.1 * torch.randn(26, 1)
    model = nn.Linear(5, 1)
    squares = nn.MSELoss(reduction="sum")
    optimizer = torch.optim.SGD(model.parameters(), lr=0.05)
    step = 0
    for epoch in range(3):
        optimizer.zero_grad()
        losses, sizes = [], []
        # Eight samples at a time, and in the end two.
        for number, (xb, yb) in enumerate(zip(x.split(8), y.split(8)), start=1):
            output = model(xb)
            loss = squares(output, yb) / len(yb)
            (loss / PARTS).backward()
            losses.append(loss.item())
            sizes.append(len(yb))
            hand.saw("train", loss.item(), len(yb), output=output, target=yb)
            if number % PARTS == 0:
                hand.step(step, losses, optimizer, sizes=sizes)
                optimizer.step()
                optimizer.zero_grad()
                losses, sizes, step = [], [], step + 1
        hand.end("train", epoch)
    return model, optimizer
