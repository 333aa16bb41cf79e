"""A fused optimizer whose gradients were unscaled and clipped before: nothing is left to divide."""

from __future__ import annotations

import torch
from torch import nn


def loop(hand):
    torch.manual_seed(26)
    xs, ys = torch.randn(48, 8), torch.randint(0, 3, (48,))
    model = nn.Linear(8, 3)
    optimizer = torch.optim.AdamW(model.parameters(), lr=0.01, fused=True)
    scaler = torch.amp.GradScaler("cpu", init_scale=2048.0)

    step = 0
    for epoch in range(2):
        for x, y in zip(xs.split(16), ys.split(16)):
            with torch.autocast("cpu", dtype=torch.float16):
                out = model(x)
                loss = nn.functional.cross_entropy(out, y)
            optimizer.zero_grad()
            scaler.scale(loss).backward()
            scaler.unscale_(optimizer)
            hand.step(step, loss.item(), optimizer)
            nn.utils.clip_grad_norm_(model.parameters(), 0.3)
            hand.gradient_norm(step, model.parameters(), "GradNorm/clipped")
            hand.saw("train", loss.item(), len(x), correct=(out.argmax(1) == y).sum())
            scaler.step(optimizer)
            scaler.update()
            step += 1
        hand.end("train", epoch)
    return model, optimizer, scaler
