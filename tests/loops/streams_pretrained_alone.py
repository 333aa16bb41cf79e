"""The generator is trained alone before its critic is made, and goes on beside it: two streams."""

from __future__ import annotations

import torch
import torch.nn.functional as F
from torch import nn


def loop(hand):
    torch.manual_seed(184)
    data = torch.randn(36, 2) + 1
    generator = nn.Linear(2, 2)
    opt_g = torch.optim.SGD(generator.parameters(), lr=0.05)
    g_step = 0
    for epoch in range(4):
        for real in data.split(12):
            opt_g.zero_grad()
            loss = (generator(real) - real).abs().mean()
            loss.backward()
            hand.step(g_step, loss.item(), opt_g)
            hand.saw("train", loss.item(), 12)
            opt_g.step()
            g_step += 1
        hand.end("train", epoch)

    critic = nn.Linear(2, 1)
    opt_c = torch.optim.SGD(critic.parameters(), lr=0.05)
    c_step = 0
    for epoch in range(3):
        for real in data.split(12):
            fake = generator(torch.randn(12, 2))
            c_loss = F.softplus(-critic(real)).mean() + F.softplus(critic(fake.detach())).mean()
            opt_c.zero_grad()
            c_loss.backward()
            hand.step(c_step, c_loss.item(), opt_c, "opt_c")
            hand.saw("train", c_loss.item(), 12, "opt_c")
            opt_c.step()
            g_loss = F.softplus(-critic(fake)).mean()
            opt_g.zero_grad()
            g_loss.backward()
            hand.step(g_step, g_loss.item(), opt_g)
            hand.saw("train", g_loss.item(), 12)
            opt_g.step()
            c_step, g_step = c_step + 1, g_step + 1
        hand.end("train", 4 + epoch, "opt_c")
        hand.end("train", 4 + epoch)
    return generator, critic, opt_g, opt_c
