"""Several tasks: a dictionary of losses summed by `sum(...)`, two of PyTorch and one by hand."""

from __future__ import annotations

import torch
from torch import nn
from torch.nn import functional as F


def loop(hand):
    torch.manual_seed(180)
    xs, ys = torch.randn(36, 5), torch.randint(0, 3, (36,))
    body = nn.Linear(5, 8)
    heads = nn.ModuleDict({"class": nn.Linear(8, 3), "value": nn.Linear(8, 1)})
    optimizer = torch.optim.SGD([*body.parameters(), *heads.parameters()], lr=0.05)
    step = 0
    for epoch in range(3):
        for x, y in zip(xs.split(12), ys.split(12)):
            hidden = torch.relu(body(x))
            scores, value = heads["class"](hidden), heads["value"](hidden).squeeze(1)
            losses = {
                "class": F.cross_entropy(scores, y),
                "value": F.l1_loss(value, x.sum(1)),
                "sparse": 0.01 * hidden.abs().mean(),
            }
            loss = sum(losses.values())
            optimizer.zero_grad()
            loss.backward()
            hand.step(step, loss.item(), optimizer)
            hand.add("Loss/train/cross_entropy", step, losses["class"].item())
            hand.add("Loss/train/l1_loss", step, losses["value"].item())
            hand.saw(
                "train", loss.item(), 12, correct=(scores.argmax(1) == y).sum(),
                output=value, target=x.sum(1),
            )
            optimizer.step()
            step += 1
        hand.end("train", epoch)
    return body, heads, optimizer
