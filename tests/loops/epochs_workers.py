"""A loader with a worker process that stays; random numbers are drawn in the worker too."""

from __future__ import annotations

import torch
from torch import nn
from torch.utils.data import DataLoader, Dataset


class Noisy(Dataset):
    def __init__(self):
        self.x, self.y = torch.randn(14, 3), torch.randint(0, 2, (14,))

    def __len__(self):
        return 14

    def __getitem__(self, i):
        return self.x[i] + 0.01 * torch.randn(3), self.y[i]


def loop(hand):
    torch.manual_seed(111)
    loader = DataLoader(Noisy(), batch_size=5, shuffle=True, num_workers=1, persistent_workers=True)
    model = nn.Linear(3, 2)
    criterion = nn.CrossEntropyLoss()
    optimizer = torch.optim.SGD(model.parameters(), lr=0.2)
    step = 0
    for epoch in range(2):
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
