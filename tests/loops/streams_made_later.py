"""Two trainings alternate; a third optimizer is made later, and steps before anything is zeroed."""

from __future__ import annotations

import torch
from torch import nn
from torch.nn import functional as F


def loop(hand):
    torch.manual_seed(171)
    xs, ys = torch.randn(24, 5), torch.randint(0, 3, (24,))
    body, first, second = nn.Linear(5, 8), nn.Linear(8, 3), nn.Linear(8, 1)
    opt_first = torch.optim.SGD([*body.parameters(), *first.parameters()], lr=0.1)
    opt_second = torch.optim.SGD(second.parameters(), lr=0.05)
    steps = {"opt_first": 0, "opt_second": 0, "opt_third": 0}

    def done(name, loss, optimizer):
        hand.step(steps[name], loss.item(), optimizer, name)
        hand.saw("train", loss.item(), 12, name)
        steps[name] += 1
        optimizer.step()
        optimizer.zero_grad()

    def regress(head, x, y):
        return (head(torch.relu(body(x)).detach()).squeeze(1) - y.float()).pow(2).mean()

    for epoch in range(12):
        if epoch == 3:
            third = nn.Linear(8, 1)
            opt_third = torch.optim.SGD(third.parameters(), lr=0.02)
        for x, y in zip(xs.split(12), ys.split(12)):
            scores = first(torch.relu(body(x)))
            loss = F.log_softmax(scores, 1).gather(1, y[:, None]).mean().neg()
            loss.backward()
            done("opt_first", loss, opt_first)
            loss = regress(second, x, y)
            loss.backward()
            done("opt_second", loss, opt_second)
            if epoch >= 3:
                loss = regress(third, x, y)
                loss.backward()
                done("opt_third", loss, opt_third)
        hand.end("train", epoch, "opt_first")
        hand.end("train", epoch, "opt_second")
        if epoch >= 3:
            hand.end("train", epoch, "opt_third")
    return body, first, second, third, opt_first, opt_second, opt_third
