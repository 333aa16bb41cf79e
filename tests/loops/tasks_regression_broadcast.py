"""The classic mistake, (N, 1) against (N,): torch broadcasts, so no score of it means anything."""

from __future__ import annotations

import warnings

import torch
from torch import nn
from torch.utils.data import DataLoader, TensorDataset

ABSENT = {"R2/train", "MAE/train", "Accuracy/train"}


def loop(hand):
    torch.manual_seed(54)
    warnings.filterwarnings("ignore", message="Using a target size")
    x = torch.randn(20, 3)
    y = x.sum(1)
    loader = DataLoader(TensorDataset(x, y), batch_size=8)
    model = nn.Linear(3, 1)
    criterion = nn.MSELoss()
    optimizer = torch.optim.SGD(model.parameters(), lr=0.05)
    step = 0
    for epoch in range(3):
        for inputs, targets in loader:
            loss = criterion(model(inputs), targets)
            optimizer.zero_grad()
            loss.backward()
            hand.step(step, loss.item(), optimizer)
            hand.saw("train", loss.item(), len(inputs))
            optimizer.step()
            step += 1
        hand.end("train", epoch)
    return model, optimizer
