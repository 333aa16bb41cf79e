"""A big batch cut into chunks that do not fit evenly, each loss weighted by its share."""

from __future__ import annotations

import torch
import torch.nn.functional as F
from torch import nn


def loop(hand):
    torch.manual_seed(10)
    xs, ys = torch.randn(44, 4), torch.randint(0, 3, (44,))
    model = nn.Linear(4, 3)
    optimizer = torch.optim.SGD(model.parameters(), lr=0.1)

    step = 0
    for epoch in range(2):
        for x, y in zip(xs.split(22), ys.split(22)):
            optimizer.zero_grad()
            losses, sizes = [], []
            for x_part, y_part in zip(x.split(8), y.split(8)):
                out = model(x_part)
                loss = F.cross_entropy(out, y_part)
                (loss * len(x_part) / len(x)).backward()
                losses.append(loss.item())
                sizes.append(len(x_part))
                correct = (out.argmax(1) == y_part).sum()
                hand.saw("train", loss.item(), len(x_part), correct=correct)
            hand.step(step, losses, optimizer, sizes=sizes)
            optimizer.step()
            step += 1
        hand.end("train", epoch)
    return model, optimizer
