"""A common mistake: clipping after `zero_grad` and before backward, so nothing is clipped.

The step uses the gradients as backward left them, so both norms are the same.
"""

from __future__ import annotations

import torch
from torch import nn


def loop(hand):
    torch.manual_seed(33)
    xs, ys = torch.randn(36, 4), torch.randint(0, 2, (36,))
    model = nn.Linear(4, 2)
    optimizer = torch.optim.SGD(model.parameters(), lr=0.3)

    step = 0
    for epoch in range(2):
        for x, y in zip(xs.split(12), ys.split(12)):
            out = model(x)
            loss = nn.functional.cross_entropy(out, y)
            optimizer.zero_grad()
            nn.utils.clip_grad_norm_(model.parameters(), 0.01)
            loss.backward()
            hand.step(step, loss.item(), optimizer)
            hand.gradient_norm(step, model.parameters(), "GradNorm/clipped")
            hand.saw("train", loss.item(), 12, correct=(out.argmax(1) == y).sum())
            optimizer.step()
            step += 1
        hand.end("train", epoch)
    return model, optimizer
