"""The generator is trained alone first, then both: epochs run on, for both streams alike."""

from __future__ import annotations

import torch
import torch.nn.functional as F
from torch import nn


def loop(hand):
    torch.manual_seed(148)
    data = torch.randn(36, 2) + 1
    generator, discriminator = nn.Linear(2, 2), nn.Linear(2, 1)
    opt_g = torch.optim.SGD(generator.parameters(), lr=0.05)
    opt_d = torch.optim.SGD(discriminator.parameters(), lr=0.05)

    g_step = d_step = 0
    for epoch in range(2):
        for real in data.split(12):
            opt_g.zero_grad()
            loss = (generator(real) - real).abs().mean()
            loss.backward()
            hand.step(g_step, loss.item(), opt_g, "opt_g")
            hand.saw("train", loss.item(), 12, "opt_g")
            opt_g.step()
            g_step += 1
        hand.end("train", epoch, "opt_g")

    for epoch in range(3):
        for real in data.split(12):
            fake = generator(torch.randn(12, 2))
            d_loss = F.softplus(-discriminator(real)).mean()
            d_loss = d_loss + F.softplus(discriminator(fake.detach())).mean()
            opt_d.zero_grad()
            d_loss.backward()
            hand.step(d_step, d_loss.item(), opt_d, "opt_d")
            hand.saw("train", d_loss.item(), 12, "opt_d")
            opt_d.step()
            g_loss = F.softplus(-discriminator(fake)).mean()
            opt_g.zero_grad()
            g_loss.backward()
            hand.step(g_step, g_loss.item(), opt_g, "opt_g")
            hand.saw("train", g_loss.item(), 12, "opt_g")
            opt_g.step()
            d_step, g_step = d_step + 1, g_step + 1
        hand.end("train", 2 + epoch, "opt_d")
        hand.end("train", 2 + epoch, "opt_g")
    return generator, discriminator, opt_g, opt_d
