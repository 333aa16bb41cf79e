"""Resumed training: range(37, 42), so the first epoch is number 37."""

from __future__ import annotations

import torch
from torch import nn
from torch.utils.data import DataLoader, TensorDataset


def loop(hand):
    torch.manual_seed(90)
    x, y = torch.randn(14, 3), torch.randint(0, 2, (14,))
    loader = DataLoader(TensorDataset(x, y), batch_size=5, shuffle=True)
    model = nn.Linear(3, 2)
    criterion = nn.CrossEntropyLoss()
    optimizer = torch.optim.SGD(model.parameters(), lr=0.2)
    start_epoch, n_epochs = 37, 42
    step = 0
    for epoch in range(start_epoch, n_epochs):
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
