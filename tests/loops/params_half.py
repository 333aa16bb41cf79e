"""Half-precision parameters, gradients large enough for their squares to overflow in half."""

from __future__ import annotations

import torch
from torch import nn


def loop(hand):
    torch.manual_seed(94)
    xs, ys = 100 * torch.randn(48, 4).half(), torch.randint(0, 3, (48,))
    model = nn.Linear(4, 3).half()
    optimizer = torch.optim.SGD(model.parameters(), lr=1e-4)

    step = 0
    for epoch in range(2):
        for x, y in zip(xs.split(16), ys.split(16)):
            optimizer.zero_grad()
            out = model(x)
            loss = 8 * nn.functional.cross_entropy(out.float(), y)
            loss.backward()
            hand.step(step, loss.item(), optimizer)
            hand.saw("train", loss.item(), 16, correct=(out.argmax(1) == y).sum())
            optimizer.step()
            step += 1
        hand.end("train", epoch)
    return model, optimizer
