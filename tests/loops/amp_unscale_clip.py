"""GradScaler with `unscale_` and clipping of the unscaled gradients."""

from __future__ import annotations

import torch
from torch import nn
from torch.utils.data import DataLoader, TensorDataset


def loop(hand):
    torch.manual_seed(21)
    xs, ys = torch.randn(64, 8), torch.randint(0, 3, (64,))
    loader = DataLoader(TensorDataset(xs, ys), batch_size=16)
    model = nn.Sequential(nn.Linear(8, 16), nn.ReLU(), nn.Linear(16, 3))
    optimizer = torch.optim.SGD(model.parameters(), lr=0.1)
    scaler = torch.amp.GradScaler("cpu", init_scale=4096.0)

    step = 0
    for epoch in range(3):
        for x, y in loader:
            optimizer.zero_grad()
            with torch.autocast("cpu", dtype=torch.float16):
                out = model(x)
                loss = nn.functional.cross_entropy(out, y)
            scaler.scale(loss).backward()
            scaler.unscale_(optimizer)
            hand.step(step, loss.item(), optimizer)
            torch.nn.utils.clip_grad_norm_(model.parameters(), 0.2)
            hand.gradient_norm(step, model.parameters(), "GradNorm/clipped")
            hand.saw("train", loss.item(), len(x), correct=(out.argmax(1) == y).sum())
            scaler.step(optimizer)
            scaler.update()
            step += 1
        hand.end("train", epoch)
    return model, optimizer, scaler
