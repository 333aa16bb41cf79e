"""Gradients by `torch.autograd.grad`, weights moved by hand: no backward and no optimizer."""

from __future__ import annotations

import torch

_WHY = "no backward and no optimizer step: nothing says which value was minimised"
MISSING = {"Loss/train": _WHY, "Loss/train_epoch": _WHY, "GradNorm/total": _WHY}


def loop(hand):
    torch.manual_seed(83)
    xs = torch.randn(40, 3)
    ys = xs.sum(1)
    w = torch.zeros(3, requires_grad=True)

    step = 0
    for epoch in range(3):
        for x, y in zip(xs.split(20), ys.split(20)):
            loss = ((x @ w - y) ** 2).mean()
            (grad,) = torch.autograd.grad(loss, w)
            hand.add("Loss/train", step, loss.item())
            hand.add("GradNorm/total", step, float(grad.double().norm()))
            hand.saw("train", loss.item(), 20)
            w = (w - 0.1 * grad).detach().requires_grad_()
            step += 1
        hand.end("train", epoch)
    return [w]
