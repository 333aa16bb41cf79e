"""Micro-batches in long epochs, a rest at the end of each; once gradients are dropped on the way.

Long enough for steps of several backward calls to settle, and to be left in the middle of one.
"""

from __future__ import annotations

import torch
from torch import nn
from torch.utils.data import DataLoader, TensorDataset

GATHERED = 3


def loop(hand):
    torch.manual_seed(3)
    x = torch.randn(272, 6)
    y = (x[:, 0] > 0).long() + (x[:, 1] > 0.5).long()
    loader = DataLoader(TensorDataset(x, y), batch_size=4, shuffle=True)
    model = nn.Sequential(nn.Linear(6, 12), nn.Tanh(), nn.Linear(12, 3))
    optimizer = torch.optim.SGD(model.parameters(), lr=0.2, momentum=0.5)
    criterion = nn.CrossEntropyLoss()

    step, group = 0, []
    for epoch in range(4):
        for number, (features, labels) in enumerate(loader, start=1):
            scores = model(features)
            loss = criterion(scores, labels) / GATHERED
            loss.backward()
            group.append(loss.item() * GATHERED)
            hand.saw("train", group[-1], len(features), correct=(scores.argmax(1) == labels).sum())
            if epoch == 1 and number == 38:
                # Two of three are in: they lead to no step.
                for weight in model.parameters():
                    weight.grad = None
                group = []
            if number % GATHERED == 0:
                hand.step(step, group, optimizer)
                optimizer.step()
                optimizer.zero_grad()
                step, group = step + 1, []
        hand.end("train", epoch)
    return model, optimizer
