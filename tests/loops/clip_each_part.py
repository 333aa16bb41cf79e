"""Two parts of a model, clipped one after the other with different limits."""

from __future__ import annotations

import torch
from torch import nn
from torch.nn.utils import clip_grad_norm_


def loop(hand):
    torch.manual_seed(35)
    xs, ys = 2 * torch.randn(36, 4), torch.randint(0, 2, (36,))
    body, head = nn.Linear(4, 8), nn.Linear(8, 2)
    optimizer = torch.optim.SGD([*body.parameters(), *head.parameters()], lr=0.3)
    criterion = nn.CrossEntropyLoss()

    step = 0
    for epoch in range(2):
        for x, y in zip(xs.split(12), ys.split(12)):
            optimizer.zero_grad()
            out = head(body(x).relu())
            loss = criterion(out, y)
            loss.backward()
            hand.step(step, loss.item(), optimizer)
            clip_grad_norm_(body.parameters(), 0.05)
            clip_grad_norm_(head.parameters(), 0.1)
            hand.gradient_norm(step, [*body.parameters(), *head.parameters()], "GradNorm/clipped")
            hand.saw("train", loss.item(), 12, correct=(out.argmax(1) == y).sum())
            optimizer.step()
            step += 1
        hand.end("train", epoch)
    return body, head, optimizer
