"""for epoch, rate in enumerate(rates, 1) and for i, batch in enumerate(loader, 1)."""

from __future__ import annotations

import torch
from torch import nn
from torch.utils.data import DataLoader, TensorDataset


def loop(hand):
    torch.manual_seed(116)
    x, y = torch.randn(14, 3), torch.randint(0, 2, (14,))
    loader = DataLoader(TensorDataset(x, y), batch_size=5, shuffle=True)
    model = nn.Linear(3, 2)
    criterion = nn.CrossEntropyLoss()
    optimizer = torch.optim.SGD(model.parameters(), lr=0.2)
    for epoch, rate in enumerate([0.2, 0.1, 0.05], 1):
        optimizer.param_groups[0]["lr"] = rate
        for i, (xb, yb) in enumerate(loader, 1):
            step = (epoch - 1) * len(loader) + i - 1
            out = model(xb)
            loss = criterion(out, yb)
            optimizer.zero_grad()
            loss.backward()
            hand.step(step, loss.item(), optimizer)
            hand.saw("train", loss.item(), len(xb), correct=(out.argmax(1) == yb).sum())
            optimizer.step()
        hand.end("train", epoch)
    return model, optimizer
