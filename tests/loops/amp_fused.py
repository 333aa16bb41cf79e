"""GradScaler with a fused optimizer, which unscales and skips inside its own kernel."""

from __future__ import annotations

import torch
from torch import nn


def loop(hand):
    torch.manual_seed(25)
    xs, ys = torch.randn(64, 8), torch.randint(0, 3, (64,))
    model = nn.Sequential(nn.Linear(8, 16), nn.ReLU(), nn.Linear(16, 3))
    optimizer = torch.optim.Adam(model.parameters(), lr=0.01, fused=True)
    criterion = nn.CrossEntropyLoss()
    scaler = torch.amp.GradScaler("cpu", init_scale=2.0**20)

    step = 0
    for epoch in range(4):
        for x, y in zip(xs.split(16), ys.split(16)):
            optimizer.zero_grad()
            with torch.autocast("cpu", dtype=torch.float16):
                out = model(x)
                loss = criterion(out, y)
            scaler.scale(loss).backward()
            hand.saw("train", loss.item(), len(x), correct=(out.argmax(1) == y).sum())
            if all(p.grad.isfinite().all() for p in model.parameters()):
                hand.step(step, loss.item(), optimizer, scale=scaler.get_scale())
                step += 1
            scaler.step(optimizer)
            scaler.update()
        hand.end("train", epoch)
    assert 8 < step < 16
    return model, optimizer, scaler
