"""while step < max_steps around the loader: step is no epoch, the loader's restarts are."""

from __future__ import annotations

import torch
from torch import nn
from torch.utils.data import DataLoader, TensorDataset


def loop(hand):
    torch.manual_seed(110)
    x, y = torch.randn(18, 3), torch.randint(0, 2, (18,))
    train_loader = DataLoader(TensorDataset(x, y), batch_size=5, shuffle=True)
    model = nn.Linear(3, 2)
    criterion = nn.CrossEntropyLoss()
    optimizer = torch.optim.SGD(model.parameters(), lr=0.2)
    step, max_steps, restarts = 0, 10, 0
    while step < max_steps:
        for xb, yb in train_loader:
            out = model(xb)
            loss = criterion(out, yb)
            optimizer.zero_grad()
            loss.backward()
            hand.step(step, loss.item(), optimizer)
            hand.saw("train", loss.item(), len(xb), correct=(out.argmax(1) == yb).sum())
            optimizer.step()
            step += 1
            if step >= max_steps:
                break
        hand.end("train", restarts)
        restarts += 1
    return model, optimizer
