"""No optimizer: weights updated by hand under `no_grad`. Every backward is a step."""

from __future__ import annotations

import torch


def loop(hand):
    torch.manual_seed(80)
    xs = torch.randn(60, 3)
    ys = xs @ torch.tensor([1.0, -2.0, 0.5]) + 0.3
    w = torch.zeros(3, requires_grad=True)
    b = torch.zeros((), requires_grad=True)
    lr = 0.1

    step = 0
    for epoch in range(3):
        for x, y in zip(xs.split(20), ys.split(20)):
            loss = ((x @ w + b - y) ** 2).mean()
            loss.backward()
            hand.add("Loss/train", step, loss.item())
            hand.gradient_norm(step, [w, b])
            hand.saw("train", loss.item(), 20)
            with torch.no_grad():
                w -= lr * w.grad
                b -= lr * b.grad
                w.grad.zero_()
                b.grad.zero_()
            step += 1
        hand.end("train", epoch)
    return w, b
