"""GradScaler with a foreach optimizer, one step skipped at the start."""

from __future__ import annotations

import torch
from torch import nn


def loop(hand):
    torch.manual_seed(27)
    xs, ys = torch.randn(64, 8), torch.randint(0, 3, (64,))
    model = nn.Sequential(nn.Linear(8, 16), nn.ReLU(), nn.Linear(16, 3))
    optimizer = torch.optim.Adam(model.parameters(), lr=0.01, foreach=True)
    scaler = torch.amp.GradScaler("cpu", init_scale=2.0**19)

    step = 0
    for epoch in range(3):
        for x, y in zip(xs.split(16), ys.split(16)):
            optimizer.zero_grad(set_to_none=False)
            with torch.autocast("cpu", dtype=torch.float16):
                out = model(x)
                loss = nn.functional.cross_entropy(out, y)
            scaler.scale(loss).backward()
            hand.saw("train", loss.item(), len(x), correct=(out.argmax(1) == y).sum())
            if all(p.grad.isfinite().all() for p in model.parameters()):
                hand.step(step, loss.item(), optimizer, scale=scaler.get_scale())
                step += 1
            scaler.step(optimizer)
            scaler.update()
        hand.end("train", epoch)
    assert 6 < step < 12
    return model, optimizer, scaler
