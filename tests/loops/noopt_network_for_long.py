"""A network whose parameters are moved under `no_grad`, each epoch one step, the error written out."""

from __future__ import annotations

import torch
from torch import nn


def loop(hand):
    torch.manual_seed(12)
    x = torch.linspace(-3, 3, 40).reshape(-1, 1)
    y = torch.sin(x)
    net = nn.Sequential(nn.Linear(1, 8), nn.Tanh(), nn.Linear(8, 1))
    for epoch in range(150):
        y_pred = net(x)
        loss = (y_pred - y).pow(2).mean()
        net.zero_grad()
        loss.backward()
        hand.add("Loss/train", epoch, loss.item())
        hand.gradient_norm(epoch, net.parameters())
        hand.saw("train", loss.item(), 1)
        with torch.no_grad():
            for param in net.parameters():
                param -= 0.05 * param.grad
        hand.end("train", epoch)
    return net, None
