"""What is left over at the end of an epoch never becomes a step: the next epoch clears it."""

from __future__ import annotations

import torch
from torch import nn
from torch.utils.data import DataLoader, TensorDataset


def loop(hand):
    torch.manual_seed(141)
    xs, ys = torch.randn(56, 4), torch.randint(0, 3, (56,))
    loader = DataLoader(TensorDataset(xs, ys), batch_size=8)
    model = nn.Linear(4, 3)
    optimizer = torch.optim.SGD(model.parameters(), lr=0.1)
    criterion = nn.CrossEntropyLoss()

    step = 0
    for epoch in range(3):
        optimizer.zero_grad()
        group = []
        for i, (x, y) in enumerate(loader):
            out = model(x)
            loss = criterion(out, y) / 3
            loss.backward()
            group.append(loss.item() * 3)
            hand.saw("train", group[-1], len(x), correct=(out.argmax(1) == y).sum())
            if (i + 1) % 3 == 0:
                hand.step(step, group, optimizer)
                optimizer.step()
                optimizer.zero_grad()
                step, group = step + 1, []
        hand.end("train", epoch)
    return model, optimizer
