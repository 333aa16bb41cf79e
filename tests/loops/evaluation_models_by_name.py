"""Several models in turn, by name: the name of a model is no name of an evaluation."""

from __future__ import annotations

import torch
from torch import nn


def fit(name, model, optimizer, x, y, hand, epochs, first, step):
    for epoch in range(epochs):
        out = model(x[:12])
        loss = nn.functional.cross_entropy(out, y[:12])
        optimizer.zero_grad()
        loss.backward()
        hand.step(step, loss.item(), optimizer)
        hand.saw("train", loss.item(), 12, correct=(out.argmax(1) == y[:12]).sum())
        optimizer.step()
        step += 1
        hand.end("train", first + epoch)
        with torch.no_grad():
            out = model(x[12:])
            held_out = nn.functional.cross_entropy(out, y[12:])
        hand.saw("val", held_out.item(), 6, correct=(out.argmax(1) == y[12:]).sum())
        hand.end("val", first + epoch)
    return step


def loop(hand):
    torch.manual_seed(171)
    x, y = torch.randn(18, 4), torch.randint(0, 3, (18,))
    step = 0
    for number, name in enumerate(["narrow", "wide"]):
        width = {"narrow": 3, "wide": 9}[name]
        model = nn.Sequential(nn.Linear(4, width), nn.ReLU(), nn.Linear(width, 3))
        optimizer = torch.optim.SGD(model.parameters(), lr=0.1)
        step = fit(name, model, optimizer, x, y, hand, 2, 2 * number, step)
    return model, optimizer
