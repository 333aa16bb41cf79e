"""A forgotten `zero_grad`: gradients pile up, the loss of each step is its own all the same."""

from __future__ import annotations

import torch
from torch import nn


def loop(hand):
    torch.manual_seed(125)
    xs, ys = torch.randn(48, 5), torch.randint(0, 3, (48,))
    model = nn.Linear(5, 3)
    optimizer = torch.optim.SGD(model.parameters(), lr=0.01)

    step = 0
    for epoch in range(3):
        for x, y in zip(xs.split(16), ys.split(16)):
            out = model(x)
            loss = nn.functional.cross_entropy(out, y)
            if step in (1, 2, 3, 4, 8):
                held = [p.grad.norm().item() ** 2 for p in model.parameters()]
                hand.add("GradNorm/carried", step, sum(held) ** 0.5)
            loss.backward()
            hand.step(step, loss.item(), optimizer)
            hand.saw("train", loss.item(), 16, correct=(out.argmax(1) == y).sum())
            optimizer.step()
            step += 1
        hand.end("train", epoch)
    return model, optimizer
