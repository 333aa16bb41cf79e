"""Wasserstein GAN: three critic steps for one generator step; each stream counts its own."""

from __future__ import annotations

import torch
from torch import nn


def loop(hand):
    torch.manual_seed(63)
    data = torch.randn(72, 2) * 0.5 + 1
    generator, critic = nn.Linear(2, 2), nn.Sequential(nn.Linear(2, 6), nn.ReLU(), nn.Linear(6, 1))
    opt_generator = torch.optim.RMSprop(generator.parameters(), lr=0.01)
    opt_critic = torch.optim.RMSprop(critic.parameters(), lr=0.01)
    n_critic = 3

    critic_step = generator_step = 0
    for epoch in range(2):
        for i, real in enumerate(data.split(12)):
            opt_critic.zero_grad()
            with torch.no_grad():
                fake = generator(torch.randn(12, 2))
            loss_critic = critic(fake).mean() - critic(real).mean()
            loss_critic.backward()
            hand.step(critic_step, loss_critic.item(), opt_critic, "opt_critic")
            hand.saw("train", loss_critic.item(), 12, "opt_critic")
            opt_critic.step()
            critic_step += 1
            for p in critic.parameters():
                p.data.clamp_(-0.5, 0.5)
            if (i + 1) % n_critic == 0:
                opt_generator.zero_grad()
                loss_generator = -critic(generator(torch.randn(12, 2))).mean()
                loss_generator.backward()
                hand.step(generator_step, loss_generator.item(), opt_generator, "opt_generator")
                hand.saw("train", loss_generator.item(), 12, "opt_generator")
                opt_generator.step()
                generator_step += 1
        hand.end("train", epoch, "opt_critic")
        hand.end("train", epoch, "opt_generator")
    return generator, critic, opt_generator, opt_critic
