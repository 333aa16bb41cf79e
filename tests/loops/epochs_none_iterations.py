"""Iterations without epochs, loader or evaluation: a training pass is a hundred steps."""

from __future__ import annotations

import torch
from torch import nn


def get_batch(data, targets, size):
    index = torch.randint(len(data), (size,))
    return data[index], targets[index]


def loop(hand):
    torch.manual_seed(102)
    data = torch.randn(40, 3)
    targets = data.sum(1, keepdim=True) + 0.1 * torch.randn(40, 1)
    model = nn.Linear(3, 1)
    criterion = nn.MSELoss()
    optimizer = torch.optim.SGD(model.parameters(), lr=0.02)
    for iteration in range(130):
        inputs, wanted = get_batch(data, targets, 5)
        predicted = model(inputs)
        loss = criterion(predicted, wanted)
        optimizer.zero_grad(set_to_none=True)
        loss.backward()
        hand.step(iteration, loss.item(), optimizer)
        hand.saw("train", loss.item(), 5, output=predicted, target=wanted)
        optimizer.step()
        if iteration + 1 == 100:
            hand.end("train", 100)
    # What is left at the end is a shorter pass.
    hand.end("train", 130)
    return model, optimizer
