"""Two parameter groups with rates and decay of their own, changed by hand while training."""

from __future__ import annotations

import torch
from torch import nn


def loop(hand):
    torch.manual_seed(73)
    xs, ys = torch.randn(48, 5), torch.randint(0, 3, (48,))
    model = nn.Sequential(nn.Linear(5, 8), nn.ReLU(), nn.Linear(8, 3))
    decay = [p for p in model.parameters() if p.dim() > 1]
    no_decay = [p for p in model.parameters() if p.dim() <= 1]
    optimizer = torch.optim.AdamW(
        [{"params": decay, "weight_decay": 0.1}, {"params": no_decay, "lr": 0.05}], lr=0.01
    )

    step = 0
    for epoch in range(3):
        for x, y in zip(xs.split(16), ys.split(16)):
            for group in optimizer.param_groups:
                group["lr"] *= 0.9
            out = model(x)
            loss = nn.functional.cross_entropy(out, y)
            optimizer.zero_grad(set_to_none=True)
            loss.backward()
            hand.step(step, loss.item(), optimizer)
            hand.saw("train", loss.item(), 16, correct=(out.argmax(1) == y).sum())
            optimizer.step()
            step += 1
        hand.end("train", epoch)
    return model, optimizer
