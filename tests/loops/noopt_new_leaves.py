"""Weights replaced by new tensors at each step, one of two kept in place; then all over again.

What stands in a variable after the step is another leaf: the last one's gradient is no part of the
next norm.
"""

from __future__ import annotations

import torch


def fit(hand, x, y, rate, first):
    weight = torch.zeros(3, requires_grad=True)
    bias = torch.zeros((), requires_grad=True)
    for step in range(first, first + 5):
        loss = ((x @ weight + bias - y) ** 2).mean()
        loss.backward()
        hand.add("Loss/train", step, loss.item())
        hand.saw("train", loss.item(), 20)
        hand.gradient_norm(step, [weight, bias])
        with torch.no_grad():
            weight = (weight - rate * weight.grad).requires_grad_()
            bias -= rate * bias.grad
            bias.grad.zero_()
    return weight


def loop(hand):
    torch.manual_seed(81)
    x = torch.randn(20, 3)
    y = x @ torch.tensor([1.0, -2.0, 0.5]) + 0.3
    found = [fit(hand, x, y, rate, first) for rate, first in ((0.1, 0), (0.2, 5))]
    hand.end("train", 10)
    return found
