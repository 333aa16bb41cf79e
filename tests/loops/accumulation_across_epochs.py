"""A group of micro-batches that spans the end of an epoch: each counts where the model saw it."""

from __future__ import annotations

import torch
from torch import nn
from torch.utils.data import DataLoader, TensorDataset


def loop(hand):
    torch.manual_seed(11)
    xs, ys = torch.randn(36, 4), torch.randint(0, 2, (36,))
    loader = DataLoader(TensorDataset(xs, ys), batch_size=6)
    model = nn.Linear(4, 2)
    optimizer = torch.optim.SGD(model.parameters(), lr=0.2)
    criterion = nn.CrossEntropyLoss()
    iteration = 0

    step, group = 0, []
    for epoch in range(4):
        for x, y in loader:
            scores = model(x)
            loss = criterion(scores, y) / 4
            loss.backward()
            iteration += 1
            group.append(loss.item() * 4)
            hand.saw("train", group[-1], len(x), correct=(scores.argmax(1) == y).sum())
            if iteration % 4 == 0:
                hand.step(step, group, optimizer)
                optimizer.step()
                optimizer.zero_grad()
                step, group = step + 1, []
        hand.end("train", epoch)
    return model, optimizer
