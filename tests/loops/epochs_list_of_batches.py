"""The batches are a plain list, made once and shuffled in every epoch."""

from __future__ import annotations

import random

import torch
from torch import nn


def loop(hand):
    torch.manual_seed(118)
    order = random.Random(1)
    x, y = torch.randn(18, 3), torch.randint(0, 2, (18,))
    batches = list(zip(x.split(6), y.split(6), strict=True))
    model = nn.Linear(3, 2)
    criterion = nn.CrossEntropyLoss()
    optimizer = torch.optim.SGD(model.parameters(), lr=0.2)
    step = 0
    for epoch in range(3):
        order.shuffle(batches)
        for xb, yb in batches:
            out = model(xb)
            loss = criterion(out, yb)
            optimizer.zero_grad()
            loss.backward()
            hand.step(step, loss.item(), optimizer)
            hand.saw("train", loss.item(), len(xb), correct=(out.argmax(1) == yb).sum())
            optimizer.step()
            step += 1
        hand.end("train", epoch)
    return model, optimizer
