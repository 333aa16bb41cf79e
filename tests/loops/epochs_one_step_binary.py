"""Full batch, one step an epoch: logistic regression, first of plain classes, then of shares."""

from __future__ import annotations

import torch
from torch import nn


def loop(hand):
    torch.manual_seed(134)
    inputs = torch.randn(26, 5)
    wanted = (inputs.sum(1, keepdim=True) > 0).float()
    model = nn.Linear(5, 1)
    criterion = nn.BCELoss()
    optimizer = torch.optim.SGD(model.parameters(), lr=0.3)
    for epoch in range(200):
        if epoch == 150:
            wanted = wanted * 0.8 + 0.1
        predicted = torch.sigmoid(model(inputs))
        loss = criterion(predicted, wanted)
        optimizer.zero_grad()
        loss.backward()
        hand.step(epoch, loss.item(), optimizer)
        correct = ((predicted > 0.5) == (wanted > 0.5)).sum() if epoch < 150 else None
        hand.saw("train", loss.item(), 26, correct=correct)
        optimizer.step()
        hand.end("train", epoch)
    return model, optimizer
