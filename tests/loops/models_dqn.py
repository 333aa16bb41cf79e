"""DQN: replayed transitions, a target network that is copied now and then, actions without gradients."""

import copy
import random


import torch
from torch import nn
from torch.nn import functional as F




def loop(hand):
    torch.manual_seed(175)
    rng = random.Random(3)
    online = nn.Sequential(nn.Linear(4, 16), nn.ReLU(), nn.Linear(16, 2))
    target = copy.deepcopy(online)
    optimizer = torch.optim.Adam(online.parameters(), lr=0.01)
    memory, step = [], 0
    for episode in range(4):
        state = torch.randn(4)
        for t in range(10):
            with torch.no_grad():
                action = rng.randrange(2) if rng.random() < 0.3 else int(online(state).argmax())
            following = 0.8 * state + 0.3 * (2 * action - 1)
            memory.append((state, action, float(-following.abs().sum()), following))
            state = following
            if len(memory) < 8:
                continue
            batch = rng.sample(memory, 8)
            states = torch.stack([b[0] for b in batch])
            actions = torch.tensor([b[1] for b in batch])
            rewards = torch.tensor([b[2] for b in batch])
            nexts = torch.stack([b[3] for b in batch])
            q = online(states).gather(1, actions[:, None]).squeeze(1)
            with torch.no_grad():
                wanted = rewards + 0.9 * target(nexts).max(1).values
            loss = F.smooth_l1_loss(q, wanted)
            optimizer.zero_grad()
            loss.backward()
            hand.step(step, loss.item(), optimizer)
            hand.saw("train", loss.item(), 8, output=q, target=wanted)
            nn.utils.clip_grad_value_(online.parameters(), 100)
            hand.gradient_norm(step, online.parameters(), "GradNorm/clipped")
            optimizer.step()
            step += 1
            if step % 10 == 0:
                target.load_state_dict(online.state_dict())
    hand.end("train", step)
    return online, target, optimizer
