"""One GradScaler for two optimizers, each with its own loss."""

from __future__ import annotations

import torch
from torch import nn


def loop(hand):
    torch.manual_seed(29)
    xs, ys, zs = torch.randn(48, 6), torch.randint(0, 2, (48,)), torch.randint(0, 3, (48,))
    first, second = nn.Linear(6, 2), nn.Linear(6, 3)
    optimizer0 = torch.optim.SGD(first.parameters(), lr=0.1)
    optimizer1 = torch.optim.Adam(second.parameters(), lr=0.01)
    loss_fn = nn.CrossEntropyLoss()
    scaler = torch.amp.GradScaler("cpu", init_scale=1024.0)

    step = 0
    for epoch in range(2):
        for x, y, z in zip(xs.split(12), ys.split(12), zs.split(12)):
            optimizer0.zero_grad()
            optimizer1.zero_grad()
            with torch.autocast("cpu", dtype=torch.float16):
                output0, output1 = first(x), second(x)
                loss0 = loss_fn(output0, y)
                loss1 = loss_fn(output1, z)
            scaler.scale(loss0).backward()
            scaler.scale(loss1).backward()
            scale = scaler.get_scale()
            hand.step(step, loss0.item(), optimizer0, "optimizer0", scale=scale)
            hand.step(step, loss1.item(), optimizer1, "optimizer1", scale=scale)
            right0, right1 = (output0.argmax(1) == y).sum(), (output1.argmax(1) == z).sum()
            hand.saw("train", loss0.item(), 12, "optimizer0", correct=right0)
            hand.saw("train", loss1.item(), 12, "optimizer1", correct=right1)
            scaler.step(optimizer0)
            scaler.step(optimizer1)
            scaler.update()
            step += 1
        hand.end("train", epoch, "optimizer0")
        hand.end("train", epoch, "optimizer1")
    return first, second, optimizer0, optimizer1, scaler
