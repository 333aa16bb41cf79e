"""Warm-up without a gradient scaler; of the steps under it the very first is skipped."""

from __future__ import annotations

import torch
from torch import nn


def loop(hand):
    torch.manual_seed(214)
    xs, ys = torch.randn(80, 6), torch.randint(0, 3, (80,))
    model = nn.Linear(6, 3)
    optimizer = torch.optim.SGD(model.parameters(), lr=0.1)
    scaler = torch.amp.GradScaler("cpu", init_scale=8.0)

    step = 0
    for epoch in range(3):
        for number, (x, y) in enumerate(zip(xs.split(8), ys.split(8))):
            optimizer.zero_grad()
            out = model(x)
            loss = nn.functional.cross_entropy(out, y)
            hand.saw("train", loss.item(), 8, correct=(out.argmax(1) == y).sum())
            if epoch == 0:
                loss.backward()
                hand.step(step, loss.item(), optimizer)
                optimizer.step()
                step += 1
                continue
            scaler.scale(loss).backward()
            if number == 0:
                model.bias.grad[0] = float("inf")
            else:
                hand.step(step, loss.item(), optimizer, scale=scaler.get_scale())
                step += 1
            scaler.step(optimizer)
            scaler.update()
        hand.end("train", epoch)
    return model, optimizer, scaler
