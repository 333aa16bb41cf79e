"""`clip_grad_norm_` imported by name, long before anything is tracked; called on some steps only."""

from __future__ import annotations

import torch
from torch import nn
from torch.nn.utils import clip_grad_norm_


def loop(hand):
    torch.manual_seed(31)
    xs, ys = torch.randn(40, 4), torch.randint(0, 2, (40,))
    model = nn.Linear(4, 2)
    optimizer = torch.optim.SGD(model.parameters(), lr=0.3)

    step = 0
    for epoch in range(3):
        for x, y in zip(xs.split(10), ys.split(10)):
            out = model(x)
            loss = nn.functional.cross_entropy(out, y)
            optimizer.zero_grad()
            loss.backward()
            hand.step(step, loss.item(), optimizer)
            hand.saw("train", loss.item(), 10, correct=(out.argmax(1) == y).sum())
            if epoch > 0:
                clip_grad_norm_(model.parameters(), 0.25, norm_type=2.0)
                hand.gradient_norm(step, model.parameters(), "GradNorm/clipped")
            optimizer.step()
            step += 1
        hand.end("train", epoch)
    return model, optimizer
