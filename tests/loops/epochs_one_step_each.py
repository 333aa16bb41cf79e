"""Full batch: every step is an epoch, until one epoch has two, and an evaluation stands between."""

from __future__ import annotations

import torch
from torch import nn


def loop(hand):
    torch.manual_seed(131)
    inputs = torch.randn(24, 3)
    wanted = inputs @ torch.randn(3, 2) + 0.1 * torch.randn(24, 2)
    unseen, answers = torch.randn(7, 3), torch.randn(7, 2)
    model = nn.Linear(3, 2)
    criterion = nn.MSELoss()
    optimizer = torch.optim.SGD(model.parameters(), lr=0.05)
    schedule = torch.optim.lr_scheduler.ExponentialLR(optimizer, 0.999)

    step = 0
    for epoch in range(260):
        for _ in range(2 if epoch == 170 else 1):
            predicted = model(inputs)
            loss = criterion(predicted, wanted)
            optimizer.zero_grad()
            loss.backward()
            hand.step(step, loss.item(), optimizer)
            hand.saw("train", loss.item(), 24, output=predicted, target=wanted)
            optimizer.step()
            step += 1
        schedule.step()
        hand.end("train", epoch)
        if epoch == 140:
            model.eval()
            with torch.no_grad():
                predicted = model(unseen)
                loss = criterion(predicted, answers)
                hand.saw("val", loss.item(), 7, output=predicted, target=answers)
            hand.end("val", epoch)
            model.train()
        if epoch == 230:
            break
    return model, optimizer
