"""A second stage with two new optimizers: both losses are backwarded before either steps."""

from __future__ import annotations

import torch
from torch import nn


def loop(hand):
    torch.manual_seed(172)
    x, y = torch.randn(20, 4), torch.randn(20, 1)
    one, two, base = nn.Linear(4, 1), nn.Linear(4, 1), nn.Linear(4, 1)
    opt_base = torch.optim.SGD(base.parameters(), lr=0.1)

    for step in range(12):
        loss = (base(x) - y).abs().mean()
        loss.backward()
        hand.step(step, loss.item(), opt_base)
        hand.saw("train", loss.item(), 1)
        opt_base.step()
        opt_base.zero_grad()
    # one stretch of training without epochs, and the end of the run closes it
    hand.end("train", 12)

    opt_one = torch.optim.SGD(one.parameters(), lr=0.1)
    opt_two = torch.optim.SGD(two.parameters(), lr=0.1)
    for step in range(12):
        loss_one = (one(x) - y).abs().mean()
        loss_two = (two(x) + y).pow(2).mean()
        loss_one.backward()
        loss_two.backward()
        hand.step(step, loss_one.item(), opt_one, "opt_one")
        hand.saw("train", loss_one.item(), 1, "opt_one")
        opt_one.step()
        hand.step(step, loss_two.item(), opt_two, "opt_two")
        hand.saw("train", loss_two.item(), 1, "opt_two")
        opt_two.step()
        opt_one.zero_grad()
        opt_two.zero_grad()
    hand.end("train", 12, "opt_one")
    hand.end("train", 12, "opt_two")
    return one, two, base, opt_base, opt_one, opt_two
