"""A scale that starts too high, and one bad gradient later: GradScaler skips steps."""

from __future__ import annotations

import torch
from torch import nn
from torch.utils.data import DataLoader, TensorDataset


def loop(hand):
    torch.manual_seed(23)
    xs, ys = torch.randn(64, 8), torch.randint(0, 3, (64,))
    loader = DataLoader(TensorDataset(xs, ys), batch_size=16)
    model = nn.Sequential(nn.Linear(8, 16), nn.ReLU(), nn.Linear(16, 3))
    optimizer = torch.optim.SGD(model.parameters(), lr=0.1)
    criterion = nn.CrossEntropyLoss()
    scaler = torch.amp.GradScaler("cpu", init_scale=2.0**22)

    step = batches = 0
    for epoch in range(4):
        for x, y in loader:
            optimizer.zero_grad()
            with torch.autocast("cpu", dtype=torch.float16):
                out = model(x)
                loss = criterion(out, y)
            scaler.scale(loss).backward()
            if batches == 12:
                model[0].weight.grad[0, 0] = float("inf")
            hand.saw("train", loss.item(), len(x), correct=(out.argmax(1) == y).sum())
            if all(p.grad.isfinite().all() for p in model.parameters()):
                hand.step(step, loss.item(), optimizer, scale=scaler.get_scale())
                step += 1
            scaler.step(optimizer)
            scaler.update()
            batches += 1
        hand.end("train", epoch)
    assert 8 < step < 15
    return model, optimizer, scaler
