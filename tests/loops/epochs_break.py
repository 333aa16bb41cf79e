"""At most two batches an epoch, then break: the epoch is what was seen of it."""

from __future__ import annotations

import torch
from torch import nn
from torch.utils.data import DataLoader, TensorDataset


def loop(hand):
    torch.manual_seed(104)
    x, y = torch.randn(24, 3), torch.randint(0, 2, (24,))
    loader = DataLoader(TensorDataset(x, y), batch_size=5, shuffle=True)
    model = nn.Linear(3, 2)
    criterion = nn.CrossEntropyLoss()
    optimizer = torch.optim.SGD(model.parameters(), lr=0.2)
    step = 0
    for epoch in range(4):
        for batch_index, (xb, yb) in enumerate(loader):
            out = model(xb)
            loss = criterion(out, yb)
            optimizer.zero_grad()
            loss.backward()
            hand.step(step, loss.item(), optimizer)
            hand.saw("train", loss.item(), len(xb), correct=(out.argmax(1) == yb).sum())
            optimizer.step()
            step += 1
            if batch_index == 1:
                break
        hand.end("train", epoch)
    return model, optimizer
