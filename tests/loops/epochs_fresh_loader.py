"""A new DataLoader and a new order in every epoch, made inside the loop."""

from __future__ import annotations

import torch
from torch import nn
from torch.utils.data import DataLoader, TensorDataset


def loop(hand):
    torch.manual_seed(117)
    x, y = torch.randn(14, 3), torch.randint(0, 2, (14,))
    model = nn.Linear(3, 2)
    criterion = nn.CrossEntropyLoss()
    optimizer = torch.optim.SGD(model.parameters(), lr=0.2)
    step = 0
    for ep in range(1, 4):
        g = torch.Generator().manual_seed(ep)
        loader = DataLoader(TensorDataset(x, y), batch_size=5, shuffle=True, generator=g)
        for xb, yb in loader:
            out = model(xb)
            loss = criterion(out, yb)
            optimizer.zero_grad()
            loss.backward()
            hand.step(step, loss.item(), optimizer)
            hand.saw("train", loss.item(), len(xb), correct=(out.argmax(1) == yb).sum())
            optimizer.step()
            step += 1
        hand.end("train", ep)
    return model, optimizer
