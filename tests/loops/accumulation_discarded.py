"""A batch with a large loss is thrown away after its backward: no step, but the model saw it."""

from __future__ import annotations

import torch
from torch import nn
from torch.utils.data import DataLoader, TensorDataset


def loop(hand):
    torch.manual_seed(12)
    xs, ys = torch.randn(64, 4), torch.randint(0, 2, (64,))
    xs[10:14] *= 40
    loader = DataLoader(TensorDataset(xs, ys), batch_size=8)
    model = nn.Linear(4, 2)
    optimizer = torch.optim.SGD(model.parameters(), lr=0.1)
    criterion = nn.CrossEntropyLoss()

    step = 0
    for epoch in range(3):
        for x, y in loader:
            out = model(x)
            loss = criterion(out, y)
            loss.backward()
            hand.saw("train", loss.item(), len(x), correct=(out.argmax(1) == y).sum())
            if loss.item() > 2.0:
                optimizer.zero_grad()
                continue
            hand.step(step, loss.item(), optimizer)
            optimizer.step()
            optimizer.zero_grad()
            step += 1
        hand.end("train", epoch)
    assert 0 < step < 24
    return model, optimizer
