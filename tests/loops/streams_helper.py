"""A helper that steps whichever optimizer it is given; the names are those of the caller."""

from __future__ import annotations

import torch
from torch import nn


def update(opt, loss, after_backward):
    opt.zero_grad()
    loss.backward()
    after_backward(loss.item(), opt)
    opt.step()


def loop(hand):
    torch.manual_seed(71)
    xs = torch.randn(36, 4)
    policy, value = nn.Linear(4, 2), nn.Linear(4, 1)
    policy_optimizer = torch.optim.SGD(policy.parameters(), lr=0.1)
    value_optimizer = torch.optim.SGD(value.parameters(), lr=0.05)

    step = 0
    for epoch in range(2):
        for x in xs.split(12):
            policy_loss = (policy(x).softmax(1)[:, 0] - 0.3).abs().mean()
            value_loss = (value(x).squeeze(1) - x.sum(1)).abs().mean()
            update(
                policy_optimizer,
                policy_loss,
                lambda value, opt: hand.step(step, value, opt, "policy_optimizer"),
            )
            update(
                value_optimizer,
                value_loss,
                lambda value, opt: hand.step(step, value, opt, "value_optimizer"),
            )
            hand.saw("train", policy_loss.item(), 12, "policy_optimizer")
            hand.saw("train", value_loss.item(), 12, "value_optimizer")
            step += 1
        hand.end("train", epoch, "policy_optimizer")
        hand.end("train", epoch, "value_optimizer")
    return policy, value, policy_optimizer, value_optimizer
