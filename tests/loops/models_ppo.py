"""PPO: epochs of minibatches inside iterations; actor and critic in one loss, all by hand."""

from __future__ import annotations

import torch
from torch import nn
from torch.nn import functional as F


def loop(hand):
    torch.manual_seed(176)
    body = nn.Linear(4, 8)
    actor, critic = nn.Linear(8, 2), nn.Linear(8, 1)
    optimizer = torch.optim.Adam([*body.parameters(), *actor.parameters(), *critic.parameters()], lr=0.01)
    step = epoch_number = 0
    for iteration in range(3):
        with torch.no_grad():
            states = torch.randn(24, 4)
            hidden = torch.tanh(body(states))
            dist = torch.distributions.Categorical(logits=actor(hidden))
            actions = dist.sample()
            old = dist.log_prob(actions)
            returns = states.sum(1) * (2 * actions - 1)
            advantages = returns - critic(hidden).squeeze(1)
        for epoch in range(2):
            for rows in torch.randperm(24).split(8):
                hidden = torch.tanh(body(states[rows]))
                dist = torch.distributions.Categorical(logits=actor(hidden))
                ratio = (dist.log_prob(actions[rows]) - old[rows]).exp()
                gain = advantages[rows]
                policy = -torch.min(ratio * gain, ratio.clamp(0.8, 1.2) * gain).mean()
                value = F.mse_loss(critic(hidden).squeeze(1), returns[rows])
                loss = policy + 0.5 * value - 0.01 * dist.entropy().mean()
                optimizer.zero_grad()
                loss.backward()
                hand.step(step, loss.item(), optimizer)
                guess = critic(hidden).squeeze(1)
                hand.saw("train", loss.item(), 8, output=guess, target=returns[rows])
                nn.utils.clip_grad_norm_(body.parameters(), 0.5)
                hand.gradient_norm(
                    step, [p for g in optimizer.param_groups for p in g["params"]], "GradNorm/clipped"
                )
                optimizer.step()
                step += 1
            hand.end("train", epoch_number)
            epoch_number += 1
    return body, actor, critic, optimizer
