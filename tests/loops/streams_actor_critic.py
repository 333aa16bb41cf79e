"""Actor and critic, two losses back-propagated before both optimizers step."""

from __future__ import annotations

import torch
from torch import nn


def loop(hand):
    torch.manual_seed(64)
    states = torch.randn(48, 3)
    rewards = torch.stack([states[:, 0], -states[:, 0]], dim=1)
    actor, critic = nn.Linear(3, 2), nn.Linear(3, 1)
    actor_opt = torch.optim.Adam(actor.parameters(), lr=0.02)
    critic_opt = torch.optim.Adam(critic.parameters(), lr=0.05)

    step = 0
    for epoch in range(3):
        for state, reward in zip(states.split(16), rewards.split(16)):
            policy = torch.distributions.Categorical(logits=actor(state))
            action = policy.sample()
            value = critic(state).squeeze(1)
            gained = reward.gather(1, action[:, None]).squeeze(1)
            advantage = gained - value
            actor_loss = -(policy.log_prob(action) * advantage.detach()).mean()
            critic_loss = advantage.pow(2).mean()

            actor_opt.zero_grad()
            critic_opt.zero_grad()
            actor_loss.backward()
            critic_loss.backward()
            hand.step(step, actor_loss.item(), actor_opt, "actor_opt")
            hand.step(step, critic_loss.item(), critic_opt, "critic_opt")
            actor_opt.step()
            critic_opt.step()
            hand.saw("train", actor_loss.item(), 16, "actor_opt")
            hand.saw("train", critic_loss.item(), 16, "critic_opt")
            step += 1
        hand.end("train", epoch, "actor_opt")
        hand.end("train", epoch, "critic_opt")
    return actor, critic, actor_opt, critic_opt
