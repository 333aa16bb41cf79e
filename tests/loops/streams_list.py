"""An ensemble: a list of models and a list of optimizers."""

from __future__ import annotations

import torch
from torch import nn


def loop(hand):
    torch.manual_seed(70)
    xs, ys = torch.randn(36, 4), torch.randint(0, 3, (36,))
    models = [nn.Linear(4, 3) for _ in range(2)]
    optimizers = [torch.optim.SGD(model.parameters(), lr=0.1) for model in models]
    criterion = nn.CrossEntropyLoss()

    step = 0
    for epoch in range(2):
        for x, y in zip(xs.split(12), ys.split(12)):
            for i in range(len(models)):
                optimizers[i].zero_grad()
                out = models[i](x)
                loss = criterion(out, y)
                loss.backward()
                name = f"optimizers_{i}"
                hand.step(step, loss.item(), optimizers[i], name)
                hand.saw("train", loss.item(), 12, name, correct=(out.argmax(1) == y).sum())
                optimizers[i].step()
            step += 1
        for i in range(len(models)):
            hand.end("train", epoch, f"optimizers_{i}")
    return models, optimizers
