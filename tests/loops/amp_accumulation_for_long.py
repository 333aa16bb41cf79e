"""Micro-batches under a gradient scaler, long enough to settle; a step that is skipped amid them."""

from __future__ import annotations

import torch
from torch import nn


def loop(hand):
    torch.manual_seed(213)
    xs, ys = torch.randn(240, 8), torch.randint(0, 3, (240,))
    model = nn.Linear(8, 3)
    optimizer = torch.optim.SGD(model.parameters(), lr=0.1)
    scaler = torch.amp.GradScaler("cpu", init_scale=512.0)

    step, group, batches = 0, [], 0
    for epoch in range(4):
        for x, y in zip(xs.split(4), ys.split(4)):
            with torch.autocast("cpu", dtype=torch.float16):
                out = model(x)
                loss = nn.functional.cross_entropy(out, y)
            scaler.scale(loss / 3).backward()
            if batches == 124:
                model.bias.grad[1] = float("inf")
            batches += 1
            group.append(loss.item())
            hand.saw("train", loss.item(), 4, correct=(out.argmax(1) == y).sum())
            if batches % 3 == 0:
                if model.bias.grad.isfinite().all():
                    hand.step(step, group, optimizer, scale=scaler.get_scale())
                    step += 1
                scaler.step(optimizer)
                scaler.update()
                optimizer.zero_grad()
                group = []
        hand.end("train", epoch)
    assert step == 79
    return model, optimizer, scaler
