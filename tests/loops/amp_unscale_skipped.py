"""Unscaled and clipped gradients of a step that is then skipped leave no point."""

from __future__ import annotations

import torch
from torch import nn


def loop(hand):
    torch.manual_seed(143)
    xs, ys = torch.randn(64, 8), torch.randint(0, 3, (64,))
    model = nn.Linear(8, 3)
    optimizer = torch.optim.SGD(model.parameters(), lr=0.1)
    criterion = nn.CrossEntropyLoss()
    scaler = torch.amp.GradScaler("cpu", init_scale=2.0**19)

    step = 0
    for epoch in range(3):
        for x, y in zip(xs.split(16), ys.split(16)):
            optimizer.zero_grad()
            with torch.autocast("cpu", dtype=torch.float16):
                out = model(x)
                loss = criterion(out, y)
            scaler.scale(loss).backward()
            scaler.unscale_(optimizer)
            finite = all(p.grad.isfinite().all() for p in model.parameters())
            if finite:
                hand.step(step, loss.item(), optimizer)
            nn.utils.clip_grad_norm_(model.parameters(), 0.2)
            if finite:
                hand.gradient_norm(step, model.parameters(), "GradNorm/clipped")
                step += 1
            hand.saw("train", loss.item(), 16, correct=(out.argmax(1) == y).sum())
            scaler.step(optimizer)
            scaler.update()
        hand.end("train", epoch)
    assert 6 < step < 12
    return model, optimizer, scaler
