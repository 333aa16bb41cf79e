"""One model trained by Adam first and by LBFGS after it, as fits of equations are: one curve.

Both optimizers are made before either steps, and the closure counts its own calls.
"""

from __future__ import annotations

import torch
from torch import nn


def loop(hand):
    torch.manual_seed(182)
    x = torch.linspace(-2, 2, 40).unsqueeze(1)
    y = torch.sin(2 * x)
    model = nn.Sequential(nn.Linear(1, 10), nn.Tanh(), nn.Linear(10, 1))
    criterion = nn.MSELoss()
    adam = torch.optim.Adam(model.parameters(), lr=0.02)
    lbfgs = torch.optim.LBFGS(model.parameters(), lr=0.5, max_iter=6)

    for epoch in range(12):
        adam.zero_grad()
        out = model(x)
        loss = criterion(out, y)
        loss.backward()
        hand.step(epoch, loss.item(), adam)
        hand.saw("train", loss.item(), len(x), output=out, target=y)
        adam.step()
        hand.end("train", epoch)

    for epoch in range(4):
        calls = []

        def closure():
            lbfgs.zero_grad()
            out = model(x)
            loss = criterion(out, y)
            loss.backward()
            if not calls:
                hand.step(12 + epoch, loss.item(), lbfgs)
                hand.saw("train", loss.item(), len(x), output=out, target=y)
            calls.append(loss.item())
            return loss

        lbfgs.step(closure)
        assert len(calls) > 1
        hand.end("train", 12 + epoch)
    return model, adam, lbfgs
