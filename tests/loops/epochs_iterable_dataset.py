"""An IterableDataset has no length; the loader just ends, the last batch is short."""

from __future__ import annotations

import torch
from torch import nn
from torch.utils.data import DataLoader, IterableDataset


class Stream(IterableDataset):
    def __iter__(self):
        generator = torch.Generator().manual_seed(5)
        for _ in range(13):
            x = torch.randn(3, generator=generator)
            yield x, int(x.sum() > 0)


def loop(hand):
    torch.manual_seed(107)
    loader = DataLoader(Stream(), batch_size=5)
    model = nn.Linear(3, 2)
    criterion = nn.CrossEntropyLoss()
    optimizer = torch.optim.SGD(model.parameters(), lr=0.2)
    step = 0
    for epoch in range(3):
        for xb, yb in loader:
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
