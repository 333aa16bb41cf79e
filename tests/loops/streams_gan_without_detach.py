"""A GAN without `detach`: the discriminator's backward reaches the generator and is cleared there."""

from __future__ import annotations

import torch
import torch.nn.functional as F
from torch import nn


def loop(hand):
    torch.manual_seed(62)
    data = torch.randn(48, 2) + 1
    G = nn.Linear(3, 2)
    D = nn.Sequential(nn.Linear(2, 6), nn.Tanh(), nn.Linear(6, 1))
    opt_d = torch.optim.SGD(D.parameters(), lr=0.05)
    opt_g = torch.optim.SGD(G.parameters(), lr=0.02)

    step = 0
    for epoch in range(2):
        for real in data.split(12):
            fake = G(torch.randn(12, 3))
            d_loss = F.softplus(-D(real)).mean() + F.softplus(D(fake)).mean()
            opt_d.zero_grad()
            d_loss.backward(retain_graph=True)
            hand.step(step, d_loss.item(), opt_d, "opt_d")
            opt_d.step()

            g_loss = F.softplus(-D(fake)).mean()
            opt_g.zero_grad()
            g_loss.backward()
            hand.step(step, g_loss.item(), opt_g, "opt_g")
            opt_g.step()
            hand.saw("train", d_loss.item(), 12, "opt_d")
            hand.saw("train", g_loss.item(), 12, "opt_g")
            step += 1
        hand.end("train", epoch, "opt_d")
        hand.end("train", epoch, "opt_g")
    return G, D, opt_d, opt_g
