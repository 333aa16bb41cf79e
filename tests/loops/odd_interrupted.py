"""Ctrl-C after a backward in the third epoch, caught around the loop: no step, no epoch point."""

from __future__ import annotations

import torch
from torch import nn


def press_ctrl_c(epoch, batch):
    if (epoch, batch) == (2, 1):
        raise KeyboardInterrupt


def loop(hand):
    torch.manual_seed(115)
    xs, ys = torch.randn(48, 5), torch.randint(0, 3, (48,))
    model = nn.Linear(5, 3)
    optimizer = torch.optim.SGD(model.parameters(), lr=0.1)
    criterion = nn.CrossEntropyLoss()

    step = 0
    try:
        for epoch in range(5):
            for batch, (x, y) in enumerate(zip(xs.split(16), ys.split(16))):
                optimizer.zero_grad()
                out = model(x)
                loss = criterion(out, y)
                loss.backward()
                press_ctrl_c(epoch, batch)
                hand.step(step, loss.item(), optimizer)
                hand.saw("train", loss.item(), 16, correct=(out.argmax(1) == y).sum())
                optimizer.step()
                step += 1
            hand.end("train", epoch)
    except KeyboardInterrupt:
        print("stopped early")
    optimizer.zero_grad()
    return model, optimizer
