"""A one-cycle schedule stepped after every update; the rate is the one used in the step."""

from __future__ import annotations

import torch
from torch import nn
from torch.optim.lr_scheduler import OneCycleLR


def loop(hand):
    torch.manual_seed(74)
    xs, ys = torch.randn(48, 5), torch.randint(0, 3, (48,))
    model = nn.Linear(5, 3)
    optimizer = torch.optim.SGD(model.parameters(), lr=0.1, momentum=0.9)
    scheduler = OneCycleLR(optimizer, max_lr=0.2, total_steps=12)

    step = 0
    for epoch in range(3):
        for x, y in zip(xs.split(12), ys.split(12)):
            optimizer.zero_grad()
            out = model(x)
            loss = nn.functional.cross_entropy(out, y)
            loss.backward()
            hand.step(step, loss.item(), optimizer)
            hand.saw("train", loss.item(), 12, correct=(out.argmax(1) == y).sum())
            optimizer.step()
            scheduler.step()
            step += 1
        hand.end("train", epoch)
    return model, optimizer, scheduler
