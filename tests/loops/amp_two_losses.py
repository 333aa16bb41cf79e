"""Two losses scaled and back-propagated one after the other for one optimizer."""

from __future__ import annotations

import torch
from torch import nn


def loop(hand):
    torch.manual_seed(145)
    xs, ys = torch.randn(48, 6), torch.randint(0, 3, (48,))
    trunk, head = nn.Linear(6, 8), nn.Linear(8, 3)
    optimizer = torch.optim.SGD([*trunk.parameters(), *head.parameters()], lr=0.1)
    scaler = torch.amp.GradScaler("cpu", init_scale=512.0)

    step = 0
    for epoch in range(2):
        for x, y in zip(xs.split(16), ys.split(16)):
            optimizer.zero_grad()
            with torch.autocast("cpu", dtype=torch.float16):
                hidden = trunk(x).relu()
                out = head(hidden)
                loss = nn.functional.cross_entropy(out, y)
                sparsity = 0.01 * hidden.float().abs().mean()
            scaler.scale(loss).backward(retain_graph=True)
            scaler.scale(sparsity).backward()
            total = loss.item() + sparsity.item()
            hand.step(step, total, optimizer, rtol=1e-6, scale=scaler.get_scale())
            hand.saw("train", total, 16, correct=(out.argmax(1) == y).sum())
            scaler.step(optimizer)
            scaler.update()
            step += 1
        hand.end("train", epoch)
    return trunk, head, optimizer, scaler
