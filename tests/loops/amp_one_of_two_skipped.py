"""Two optimizers under one scaler; a bad gradient holds one of them back."""

from __future__ import annotations

import torch
from torch import nn


def loop(hand):
    torch.manual_seed(144)
    xs, ys, zs = torch.randn(48, 6), torch.randn(48), torch.randn(48)
    left, right = nn.Linear(6, 1), nn.Linear(6, 1)
    left_optimizer = torch.optim.SGD(left.parameters(), lr=0.05)
    right_optimizer = torch.optim.SGD(right.parameters(), lr=0.05)
    scaler = torch.amp.GradScaler("cpu", init_scale=256.0)

    left_step = right_step = 0
    for epoch in range(2):
        for x, y, z in zip(xs.split(12), ys.split(12), zs.split(12)):
            left_optimizer.zero_grad()
            right_optimizer.zero_grad()
            with torch.autocast("cpu", dtype=torch.float16):
                left_loss = (left(x).squeeze(1) - y).float().abs().mean()
                right_loss = (right(x).squeeze(1) - z).float().abs().mean()
            scaler.scale(left_loss).backward()
            scaler.scale(right_loss).backward()
            scale = scaler.get_scale()
            if right_step == 3 and left_step == 3:
                right.bias.grad.fill_(float("nan"))
            hand.step(left_step, left_loss.item(), left_optimizer, "left_optimizer", scale=scale)
            left_step += 1
            if right.bias.grad.isfinite().all():
                name = "right_optimizer"
                hand.step(right_step, right_loss.item(), right_optimizer, name, scale=scale)
                right_step += 1
            scaler.step(left_optimizer)
            scaler.step(right_optimizer)
            scaler.update()
            hand.saw("train", left_loss.item(), 12, "left_optimizer")
            hand.saw("train", right_loss.item(), 12, "right_optimizer")
        hand.end("train", epoch, "left_optimizer")
        hand.end("train", epoch, "right_optimizer")
    assert (left_step, right_step) == (8, 7)
    return left, right, left_optimizer, right_optimizer, scaler
