"""GradScaler around a loss that is divided by the number of micro-batches."""

from __future__ import annotations

import torch
from torch import nn


def loop(hand):
    torch.manual_seed(24)
    xs, ys = torch.randn(48, 8), torch.randint(0, 3, (48,))
    model = nn.Linear(8, 3)
    optimizer = torch.optim.Adam(model.parameters(), lr=0.02)
    criterion = nn.CrossEntropyLoss()
    scaler = torch.amp.GradScaler("cpu", init_scale=512.0)
    iters_to_accumulate = 2

    step, group = 0, []
    for epoch in range(3):
        for i, (x, y) in enumerate(zip(xs.split(12), ys.split(12))):
            with torch.autocast(device_type="cpu", dtype=torch.float16):
                out = model(x)
                loss = criterion(out, y)
                value = loss.item()
                loss = loss / iters_to_accumulate
            scaler.scale(loss).backward()
            group.append(value)
            hand.saw("train", value, len(x), correct=(out.argmax(1) == y).sum())
            if (i + 1) % iters_to_accumulate == 0:
                hand.step(step, group, optimizer, scale=scaler.get_scale())
                scaler.step(optimizer)
                scaler.update()
                optimizer.zero_grad()
                step, group = step + 1, []
        hand.end("train", epoch)
    return model, optimizer, scaler
