"""`backward(inputs=...)`: two losses through the same network, each meant for one part of it."""

from __future__ import annotations

import torch
from torch import nn


def loop(hand):
    torch.manual_seed(120)
    xs = torch.randn(48, 4)
    model, adversary = nn.Linear(4, 4), nn.Linear(4, 1)
    model_optimizer = torch.optim.SGD(model.parameters(), lr=0.1)
    adversary_optimizer = torch.optim.SGD(adversary.parameters(), lr=0.05)

    step = 0
    for epoch in range(2):
        for x in xs.split(16):
            hidden = model(x)
            guess = adversary(hidden).squeeze(1)
            adversary_loss = (guess - x[:, 0]).abs().mean()
            model_loss = (hidden - x).abs().mean() - 0.1 * adversary_loss
            model_optimizer.zero_grad()
            adversary_optimizer.zero_grad()
            adversary_loss.backward(inputs=list(adversary.parameters()), retain_graph=True)
            model_loss.backward(inputs=list(model.parameters()))
            hand.step(step, adversary_loss.item(), adversary_optimizer, "adversary_optimizer")
            hand.step(step, model_loss.item(), model_optimizer, "model_optimizer")
            hand.saw("train", adversary_loss.item(), 16, "adversary_optimizer")
            hand.saw("train", model_loss.item(), 16, "model_optimizer")
            adversary_optimizer.step()
            model_optimizer.step()
            step += 1
        hand.end("train", epoch, "adversary_optimizer")
        hand.end("train", epoch, "model_optimizer")
    return model, adversary, model_optimizer, adversary_optimizer
