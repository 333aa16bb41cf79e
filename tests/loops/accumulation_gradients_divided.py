"""Nothing divides the losses; the gradients are divided by hand just before the step."""

from __future__ import annotations

import torch
from torch import nn


def loop(hand):
    torch.manual_seed(153)
    xs, ys = torch.randn(48, 4), torch.randint(0, 3, (48,))
    model = nn.Linear(4, 3)
    optimizer = torch.optim.SGD(model.parameters(), lr=0.1)
    criterion = nn.CrossEntropyLoss()

    step, group = 0, []
    for epoch in range(2):
        for x, y in zip(xs.split(8), ys.split(8)):
            out = model(x)
            loss = criterion(out, y)
            loss.backward()
            group.append(loss.item())
            hand.saw("train", loss.item(), 8, correct=(out.argmax(1) == y).sum())
            if len(group) == 3:
                for p in model.parameters():
                    p.grad /= 3
                hand.step(step, group, optimizer)
                optimizer.step()
                optimizer.zero_grad()
                step, group = step + 1, []
        hand.end("train", epoch)
    return model, optimizer
