"""Actor and critic apart, epochs of minibatches over a rollout gathered without gradients."""

from __future__ import annotations

import torch
import torch.nn.functional as F
from torch import nn

# The critic fits its returns; the rollouts between are no evaluation.
EVERY = ("actor_optimizer", "critic_optimizer")


def loop(hand):
    torch.manual_seed(315)
    actor, critic = nn.Linear(4, 2), nn.Linear(4, 1)
    actor_optimizer = torch.optim.Adam(actor.parameters(), lr=0.01)
    critic_optimizer = torch.optim.Adam(critic.parameters(), lr=0.01)
    step = 0
    for iteration in range(3):
        states = torch.randn(16, 4)
        with torch.no_grad():
            policy = torch.distributions.Categorical(logits=actor(states))
            actions = policy.sample()
            old = policy.log_prob(actions)
            returns = (states[:, 0] > 0).eq(actions.bool()).float()
            advantages = returns - critic(states).squeeze(1)
        for epoch in range(2):
            for index in torch.randperm(16).split(6):
                policy = torch.distributions.Categorical(logits=actor(states[index]))
                ratio = (policy.log_prob(actions[index]) - old[index]).exp()
                gain = advantages[index]
                actor_loss = -torch.min(ratio * gain, ratio.clamp(0.8, 1.2) * gain).mean()
                actor_optimizer.zero_grad()
                actor_loss.backward()
                hand.step(step, actor_loss.item(), actor_optimizer, EVERY[0])
                hand.saw("train", actor_loss.item(), 1, EVERY[0])
                actor_optimizer.step()

                value = critic(states[index]).squeeze(1)
                critic_loss = F.mse_loss(value, returns[index])
                critic_optimizer.zero_grad()
                critic_loss.backward()
                hand.step(step, critic_loss.item(), critic_optimizer, EVERY[1])
                hand.saw("train", critic_loss.item(), len(index), EVERY[1], output=value, target=returns[index])
                critic_optimizer.step()
                step += 1
            for name in EVERY:
                hand.end("train", 2 * iteration + epoch, name)
    return actor, critic, actor_optimizer, critic_optimizer
