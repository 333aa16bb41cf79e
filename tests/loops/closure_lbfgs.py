"""LBFGS evaluates its closure many times; the step's numbers are those of the first evaluation."""

from __future__ import annotations

import torch
from torch import nn


def loop(hand):
    torch.manual_seed(40)
    x = torch.linspace(-2, 2, 40).unsqueeze(1)
    y = torch.sin(2 * x)
    model = nn.Sequential(nn.Linear(1, 10), nn.Tanh(), nn.Linear(10, 1))
    criterion = nn.MSELoss()
    optimizer = torch.optim.LBFGS(model.parameters(), lr=0.5, max_iter=6)

    for epoch in range(4):
        calls = []

        def closure():
            optimizer.zero_grad()
            out = model(x)
            loss = criterion(out, y)
            loss.backward()
            if not calls:
                hand.step(epoch, loss.item(), optimizer)
                hand.saw("train", loss.item(), len(x), output=out, target=y)
            calls.append(loss.item())
            return loss

        optimizer.step(closure)
        assert len(calls) > 1
        hand.end("train", epoch)
    return model, optimizer
