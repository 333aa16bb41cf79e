"""A loader that never ends, left by break: one training pass, cut where the loop left it."""

from __future__ import annotations

import torch
from torch import nn
from torch.utils.data import DataLoader, IterableDataset


class Forever(IterableDataset):
    def __iter__(self):
        generator = torch.Generator().manual_seed(6)
        while True:
            x = torch.randn(3, generator=generator)
            yield x, int(x.sum() > 0)


def loop(hand):
    torch.manual_seed(109)
    loader = DataLoader(Forever(), batch_size=4)
    model = nn.Linear(3, 2)
    criterion = nn.CrossEntropyLoss()
    optimizer = torch.optim.SGD(model.parameters(), lr=0.2)
    for step, (xb, yb) in enumerate(loader):
        out = model(xb)
        loss = criterion(out, yb)
        optimizer.zero_grad()
        loss.backward()
        hand.step(step, loss.item(), optimizer)
        hand.saw("train", loss.item(), len(xb), correct=(out.argmax(1) == yb).sum())
        optimizer.step()
        if step + 1 >= 9:
            break
    hand.end("train", 0)
    return model, optimizer
