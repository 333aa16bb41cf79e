"""An image is optimised, the network is frozen and in evaluation mode."""

from __future__ import annotations

import torch
from torch import nn


def loop(hand):
    torch.manual_seed(111)
    network = nn.Sequential(nn.Conv2d(1, 4, 3), nn.ReLU(), nn.Conv2d(4, 4, 3))
    network.eval().requires_grad_(False)
    wanted = network(torch.rand(1, 1, 8, 8))
    image = torch.rand(1, 1, 8, 8, requires_grad=True)
    optimizer = torch.optim.Adam([image], lr=0.1)

    for epoch in range(8):
        optimizer.zero_grad()
        loss = (network(image) - wanted).pow(2).sum()
        loss.backward()
        hand.step(epoch, loss.item(), optimizer)
        hand.add("Loss/train_epoch", epoch, loss.item())
        optimizer.step()
        with torch.no_grad():
            image.clamp_(0, 1)
    return image, optimizer
