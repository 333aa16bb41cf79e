"""`use_amp = False`: a disabled scaler and a disabled autocast stay in the code."""

from __future__ import annotations

import torch
from torch import nn

use_amp = False


def loop(hand):
    torch.manual_seed(122)
    xs, ys = torch.randn(48, 8), torch.randint(0, 3, (48,))
    model = nn.Linear(8, 3)
    optimizer = torch.optim.SGD(model.parameters(), lr=0.1)
    scaler = torch.amp.GradScaler("cpu", enabled=use_amp)

    step = 0
    for epoch in range(2):
        for x, y in zip(xs.split(16), ys.split(16)):
            optimizer.zero_grad()
            with torch.autocast("cpu", dtype=torch.float16, enabled=use_amp):
                out = model(x)
                loss = nn.functional.cross_entropy(out, y)
            scaler.scale(loss).backward()
            scaler.unscale_(optimizer)
            hand.step(step, loss.item(), optimizer)
            nn.utils.clip_grad_norm_(model.parameters(), 0.3)
            hand.gradient_norm(step, model.parameters(), "GradNorm/clipped")
            hand.saw("train", loss.item(), 16, correct=(out.argmax(1) == y).sum())
            scaler.step(optimizer)
            scaler.update()
            step += 1
        hand.end("train", epoch)
    return model, optimizer
