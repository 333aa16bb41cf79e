"""A fused optimizer that unscales by itself, clipped while the gradients are still scaled."""

from __future__ import annotations

import torch
from torch import nn


def loop(hand):
    torch.manual_seed(151)
    xs, ys = torch.randn(48, 8), torch.randint(0, 3, (48,))
    model = nn.Linear(8, 3)
    optimizer = torch.optim.SGD(model.parameters(), lr=0.1, fused=True)
    scaler = torch.amp.GradScaler("cpu", init_scale=128.0)

    step = 0
    for epoch in range(2):
        for x, y in zip(xs.split(16), ys.split(16)):
            optimizer.zero_grad()
            with torch.autocast("cpu", dtype=torch.float16):
                out = model(x)
                loss = nn.functional.cross_entropy(out, y)
            scaler.scale(loss).backward()
            scale = scaler.get_scale()
            hand.step(step, loss.item(), optimizer, scale=scale)
            nn.utils.clip_grad_norm_(model.parameters(), 20.0)
            hand.gradient_norm(step, model.parameters(), "GradNorm/clipped", scale=scale)
            hand.saw("train", loss.item(), 16, correct=(out.argmax(1) == y).sum())
            scaler.step(optimizer)
            scaler.update()
            step += 1
        hand.end("train", epoch)
    return model, optimizer, scaler
