"""Clipping inside the closure; both norms are those of the first evaluation."""

from __future__ import annotations

import torch
from torch import nn


def loop(hand):
    torch.manual_seed(146)
    x = torch.randn(40, 3)
    y = x.sum(1, keepdim=True).sin()
    model = nn.Sequential(nn.Linear(3, 8), nn.Tanh(), nn.Linear(8, 1))
    criterion = nn.MSELoss()
    optimizer = torch.optim.LBFGS(model.parameters(), lr=0.3, max_iter=3)

    for epoch in range(3):
        evaluations = []

        def closure():
            optimizer.zero_grad()
            out = model(x)
            loss = criterion(out, y)
            loss.backward()
            if not evaluations:
                hand.step(epoch, loss.item(), optimizer)
                hand.saw("train", loss.item(), 40, output=out, target=y)
            nn.utils.clip_grad_norm_(model.parameters(), 0.2)
            if not evaluations:
                hand.gradient_norm(epoch, model.parameters(), "GradNorm/clipped")
            evaluations.append(loss.item())
            return loss

        optimizer.step(closure)
        hand.end("train", epoch)
    return model, optimizer
