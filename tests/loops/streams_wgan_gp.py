"""WGAN with a gradient penalty: `autograd.grad` with its graph inside the critic loss."""

from __future__ import annotations

import torch
from torch import nn
from torch.nn import functional as F


def penalty(critic, real, fake):
    mix = torch.rand(len(real), 1)
    between = (mix * real + (1 - mix) * fake).requires_grad_()
    (gradient,) = torch.autograd.grad(critic(between).sum(), between, create_graph=True)
    return ((gradient.norm(dim=1) - 1) ** 2).mean()


def loop(hand):
    torch.manual_seed(177)
    data = torch.randn(36, 2) + 1
    generator = nn.Linear(2, 2)
    critic = nn.Sequential(nn.Linear(2, 8), nn.Tanh(), nn.Linear(8, 1))
    opt_g = torch.optim.Adam(generator.parameters(), lr=0.01)
    opt_c = torch.optim.Adam(critic.parameters(), lr=0.01)
    steps = {"opt_g": 0, "opt_c": 0}

    def done(name, loss, optimizer):
        hand.step(steps[name], loss.item(), optimizer, name)
        hand.saw("train", loss.item(), 12, name)
        steps[name] += 1
        optimizer.step()

    for epoch in range(3):
        for index, real in enumerate(data.split(12)):
            fake = generator(torch.randn(12, 2)).detach()
            opt_c.zero_grad()
            c_loss = critic(fake).mean() - critic(real).mean() + 10 * penalty(critic, real, fake)
            c_loss.backward()
            done("opt_c", c_loss, opt_c)
            if index % 2 == 0:
                opt_g.zero_grad()
                g_loss = -critic(generator(torch.randn(12, 2))).mean()
                g_loss.backward()
                done("opt_g", g_loss, opt_g)
        hand.end("train", epoch, "opt_c")
        hand.end("train", epoch, "opt_g")
    return generator, critic, opt_g, opt_c
