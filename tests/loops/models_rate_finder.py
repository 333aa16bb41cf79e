"""A learning-rate finder with an optimizer of its own, then the real training from the start."""

import copy


import torch
from torch import nn
from torch.nn import functional as F


def loop(hand):
    torch.manual_seed(183)
    xs, ys = torch.randn(36, 5), torch.randint(0, 3, (36,))
    model = nn.Linear(5, 3)
    steps = 0

    def find_rate():
        nonlocal steps
        before = copy.deepcopy(model.state_dict())
        optimizer = torch.optim.SGD(model.parameters(), lr=1e-4)
        for x, y in zip(xs.split(12), ys.split(12)):
            out = model(x)
            loss = F.cross_entropy(out, y)
            loss.backward()
            hand.step(steps, loss.item(), optimizer)
            hand.saw("train", loss.item(), 12, correct=(out.argmax(1) == y).sum())
            optimizer.step()
            optimizer.zero_grad()
            for group in optimizer.param_groups:
                group["lr"] *= 10
            steps += 1
        model.load_state_dict(before)

    find_rate()
    # the finder has no epochs: its stretch ends where epochs begin
    optimizer = torch.optim.SGD(model.parameters(), lr=0.1)
    for epoch in range(2):
        for x, y in zip(xs.split(12), ys.split(12)):
            out = model(x)
            loss = F.cross_entropy(out, y)
            loss.backward()
            hand.step(steps, loss.item(), optimizer)
            hand.saw("train", loss.item(), 12, correct=(out.argmax(1) == y).sum())
            optimizer.step()
            optimizer.zero_grad()
            steps += 1
        hand.end("train", epoch)
    return model, optimizer
