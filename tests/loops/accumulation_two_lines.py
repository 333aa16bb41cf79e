"""Accumulation written twice: one backward line under `no_sync`, another for the last micro-batch.

Both lines back-propagate micro-batches of one objective, so the loss of the step is their mean.
"""

from __future__ import annotations

import contextlib

import torch
from torch import nn
from torch.utils.data import DataLoader, TensorDataset


@contextlib.contextmanager
def no_sync():
    yield


def loop(hand):
    torch.manual_seed(7)
    xs, ys = torch.randn(48, 4), torch.randint(0, 2, (48,))
    loader = DataLoader(TensorDataset(xs, ys), batch_size=6)
    model = nn.Linear(4, 2)
    optimizer = torch.optim.SGD(model.parameters(), lr=0.1)
    criterion = nn.CrossEntropyLoss()

    step, group = 0, []
    for epoch in range(2):
        for i, (x, y) in enumerate(loader, 1):
            if i % 4:
                with no_sync():
                    out = model(x)
                    loss = criterion(out, y) / 4
                    loss.backward()
                group.append(loss.item() * 4)
            else:
                out = model(x)
                loss = criterion(out, y) / 4
                loss.backward()
                group.append(loss.item() * 4)
                hand.step(step, group, optimizer)
                optimizer.step()
                optimizer.zero_grad()
                step, group = step + 1, []
            hand.saw("train", loss.item() * 4, len(x), correct=(out.argmax(1) == y).sum())
        hand.end("train", epoch)
    return model, optimizer
