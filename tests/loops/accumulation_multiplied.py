"""Gradient accumulation: the loss times 1/N, N no power of two."""

from __future__ import annotations

import torch
import torch.nn.functional as F
from torch import nn


def loop(hand):
    torch.manual_seed(2)
    xs, ys = torch.randn(54, 6), torch.randint(0, 3, (54,))
    batches = list(zip(xs.split(6), ys.split(6)))
    net = nn.Sequential(nn.Linear(6, 12), nn.Tanh(), nn.Linear(12, 3))
    opt = torch.optim.Adam(net.parameters(), lr=1e-2)
    n_accum = 3

    step, micro = 0, []
    for epoch in range(3):
        for k, (x, y) in enumerate(batches, start=1):
            logits = net(x)
            loss = F.cross_entropy(logits, y)
            (loss * (1.0 / n_accum)).backward()
            micro.append(loss.item())
            hand.saw("train", loss.item(), len(x), correct=(logits.argmax(-1) == y).sum())
            if k % n_accum == 0:
                hand.step(step, micro, opt)
                opt.step()
                opt.zero_grad(set_to_none=True)
                step += 1
                micro = []
        hand.end("train", epoch)
    return net, opt
