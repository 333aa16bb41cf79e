"""Two models made together, trained one after the other; once the first one's loss reaches both."""

from __future__ import annotations

import torch
from torch import nn


def loop(hand):
    torch.manual_seed(14)
    x = torch.randn(24, 3)
    y = x.sum(1, keepdim=True)
    near, far = nn.Linear(3, 1), nn.Linear(3, 1)
    opt_near = torch.optim.SGD(near.parameters(), lr=0.05)
    opt_far = torch.optim.SGD(far.parameters(), lr=0.05)
    criterion = nn.MSELoss()
    for step in range(60):
        output = near(x)
        if step == 37:
            output = output + 0.1 * far(x)
        loss = criterion(output, y)
        opt_near.zero_grad()
        loss.backward()
        hand.step(step, loss.item(), opt_near, "opt_near")
        hand.saw("train", loss.item(), 24, "opt_near", output=output, target=y)
        opt_near.step()
    hand.end("train", 60, "opt_near")
    for step in range(50):
        output = far(x)
        loss = criterion(output, y)
        opt_far.zero_grad()
        loss.backward()
        hand.step(step, loss.item(), opt_far, "opt_far")
        hand.saw("train", loss.item(), 24, "opt_far", output=output, target=y)
        opt_far.step()
    hand.end("train", 50, "opt_far")
    return near, far, opt_near, opt_far
