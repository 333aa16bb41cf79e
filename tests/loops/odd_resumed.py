"""Training goes on from a checkpoint: the optimizer's state is loaded, epochs start at its number."""

from __future__ import annotations

import copy

import torch
from torch import nn


def loop(hand):
    torch.manual_seed(124)
    xs, ys = torch.randn(48, 5), torch.randint(0, 3, (48,))
    old = nn.Linear(5, 3)
    checkpoint = {"epoch": 7, "model": copy.deepcopy(old.state_dict())}
    model = nn.Linear(5, 3)
    optimizer = torch.optim.SGD(model.parameters(), lr=0.1, momentum=0.9)
    checkpoint["optimizer"] = optimizer.state_dict()
    checkpoint["optimizer"]["param_groups"][0]["lr"] = 0.03

    model.load_state_dict(checkpoint["model"])
    optimizer.load_state_dict(checkpoint["optimizer"])
    start_epoch = checkpoint["epoch"] + 1
    step = 0
    for epoch in range(start_epoch, 10):
        for x, y in zip(xs.split(16), ys.split(16)):
            optimizer.zero_grad()
            out = model(x)
            loss = nn.functional.cross_entropy(out, y)
            loss.backward()
            hand.step(step, loss.item(), optimizer)
            hand.saw("train", loss.item(), 16, correct=(out.argmax(1) == y).sum())
            optimizer.step()
            step += 1
        hand.end("train", epoch)
    return model, optimizer
