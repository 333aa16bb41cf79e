"""Clipping once for each group of micro-batches."""

from __future__ import annotations

import torch
from torch import nn


def loop(hand):
    torch.manual_seed(36)
    xs, ys = torch.randn(48, 4), torch.randint(0, 2, (48,))
    model = nn.Linear(4, 2)
    optimizer = torch.optim.Adam(model.parameters(), lr=0.05)

    step, group = 0, []
    for epoch in range(2):
        for i, (x, y) in enumerate(zip(xs.split(8), ys.split(8))):
            out = model(x)
            loss = nn.functional.cross_entropy(out, y)
            (loss / 2).backward()
            group.append(loss.item())
            hand.saw("train", loss.item(), 8, correct=(out.argmax(1) == y).sum())
            if i % 2:
                hand.step(step, group, optimizer)
                torch.nn.utils.clip_grad_norm_(model.parameters(), 0.1)
                hand.gradient_norm(step, model.parameters(), "GradNorm/clipped")
                optimizer.step()
                optimizer.zero_grad()
                step, group = step + 1, []
        hand.end("train", epoch)
    return model, optimizer
