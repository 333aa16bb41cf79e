"""A frozen backbone is unfrozen and joins the optimizer as a second parameter group."""

from __future__ import annotations

import torch
from torch import nn


def loop(hand):
    torch.manual_seed(72)
    xs, ys = torch.randn(48, 5), torch.randint(0, 3, (48,))
    backbone, head = nn.Sequential(nn.Linear(5, 8), nn.ReLU()), nn.Linear(8, 3)
    model = nn.Sequential(backbone, head)
    backbone.requires_grad_(False)
    optimizer = torch.optim.SGD(head.parameters(), lr=0.1)
    criterion = nn.CrossEntropyLoss()

    step = 0
    for epoch in range(4):
        if epoch == 2:
            backbone.requires_grad_(True)
            optimizer.add_param_group({"params": backbone.parameters(), "lr": 0.01})
        for x, y in zip(xs.split(16), ys.split(16)):
            optimizer.zero_grad()
            out = model(x)
            loss = criterion(out, y)
            loss.backward()
            hand.step(step, loss.item(), optimizer)
            hand.saw("train", loss.item(), 16, correct=(out.argmax(1) == y).sum())
            optimizer.step()
            step += 1
        hand.end("train", epoch)
    return model, optimizer
