"""Regression with three outputs of very different spread: R2 is weighted by variance."""

from __future__ import annotations

import torch
from torch import nn
from torch.utils.data import DataLoader, TensorDataset


def loop(hand):
    torch.manual_seed(53)
    x = torch.randn(22, 4)
    y = (x @ torch.randn(4, 3)) * torch.tensor([0.1, 1.0, 10.0]) + torch.tensor([5.0, 0.0, -20.0])
    loader = DataLoader(TensorDataset(x, y), batch_size=8, shuffle=True)
    model = nn.Linear(4, 3)
    criterion = nn.SmoothL1Loss()
    optimizer = torch.optim.Adam(model.parameters(), lr=0.5)
    step = 0
    for epoch in range(4):
        for inputs, targets in loader:
            outputs = model(inputs)
            loss = criterion(outputs, targets)
            optimizer.zero_grad()
            loss.backward()
            hand.step(step, loss.item(), optimizer)
            hand.saw("train", loss.item(), len(inputs), output=outputs, target=targets)
            optimizer.step()
            step += 1
        hand.end("train", epoch)
    return model, optimizer
