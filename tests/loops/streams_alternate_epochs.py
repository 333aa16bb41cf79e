"""Two optimizers, one in even epochs and one in odd ones."""

from __future__ import annotations

import torch
from torch import nn


def loop(hand):
    torch.manual_seed(150)
    xs, ys = torch.randn(36, 4), torch.randint(0, 3, (36,))
    body, head = nn.Linear(4, 6), nn.Linear(6, 3)
    body_optimizer = torch.optim.SGD(body.parameters(), lr=0.1)
    head_optimizer = torch.optim.SGD(head.parameters(), lr=0.1)
    criterion = nn.CrossEntropyLoss()
    steps = {"body_optimizer": 0, "head_optimizer": 0}

    for epoch in range(4):
        optimizer, name = (
            (body_optimizer, "body_optimizer")
            if epoch % 2 == 0
            else (head_optimizer, "head_optimizer")
        )
        body.requires_grad_(epoch % 2 == 0)
        head.requires_grad_(epoch % 2 == 1)
        for x, y in zip(xs.split(12), ys.split(12)):
            optimizer.zero_grad()
            out = head(body(x).relu())
            loss = criterion(out, y)
            loss.backward()
            hand.step(steps[name], loss.item(), optimizer, name)
            hand.saw("train", loss.item(), 12, name, correct=(out.argmax(1) == y).sum())
            optimizer.step()
            steps[name] += 1
        hand.end("train", epoch, name)
    return body, head, body_optimizer, head_optimizer
