"""Iterations only: what lies between two validations is a training pass, x counts completed steps."""

from __future__ import annotations

import torch
from torch import nn


def loop(hand):
    torch.manual_seed(64)
    x = torch.randn(40, 4)
    y = (x @ torch.randn(4, 3)).argmax(1)
    x_val, y_val = torch.randn(9, 4), torch.randint(0, 3, (9,))
    model = nn.Linear(4, 3)
    criterion = nn.CrossEntropyLoss()
    optimizer = torch.optim.SGD(model.parameters(), lr=0.3)
    for it in range(12):
        index = torch.randint(0, 40, (6,))
        out = model(x[index])
        loss = criterion(out, y[index])
        optimizer.zero_grad()
        loss.backward()
        hand.step(it, loss.item(), optimizer)
        hand.saw("train", loss.item(), 6, correct=(out.argmax(1) == y[index]).sum())
        optimizer.step()
        if (it + 1) % 4 == 0:
            with torch.no_grad():
                out = model(x_val)
                val_loss = criterion(out, y_val)
            hand.end("train", it + 1)
            hand.saw("val", val_loss.item(), 9, correct=(out.argmax(1) == y_val).sum())
            hand.end("val", it + 1)
    return model, optimizer
