"""Layers that keep a loss and hand their input on, as style transfer has them; one sums them up.

They look like criteria of one's own, without weights, and return none: what they compute counts.
"""

from __future__ import annotations

import torch
import torch.nn.functional as F
from torch import nn


class KeepsContent(nn.Module):
    def __init__(self, target):
        super().__init__()
        self.target = target.detach()

    def forward(self, x):
        self.loss = F.mse_loss(x, self.target)
        return x


class KeepsStyle(nn.Module):
    def __init__(self, target):
        super().__init__()
        self.target = (target @ target.T / target.numel()).detach()

    def forward(self, x):
        self.loss = F.l1_loss(x @ x.T / x.numel(), self.target)
        return x


def loop(hand):
    torch.manual_seed(333)
    first, second = nn.Linear(5, 6), nn.Linear(6, 4)
    style, content = torch.rand(7, 5), torch.rand(7, 5)
    model = nn.Sequential(first, nn.Tanh())
    style_layers = [KeepsStyle(model(style))]
    model.append(style_layers[0])
    model.append(second)
    style_layers.append(KeepsStyle(model(style)))
    model.append(style_layers[1])
    content_layers = [KeepsContent(model(content))]
    model.append(content_layers[0])
    model.requires_grad_(False)
    image = torch.rand(7, 5, requires_grad=True)
    optimizer = torch.optim.Adam([image], lr=0.05)
    for step in range(8):
        optimizer.zero_grad()
        model(image)
        style_sum = sum(layer.loss for layer in style_layers)
        content_sum = sum(layer.loss for layer in content_layers)
        loss = 100 * style_sum + content_sum
        loss.backward()
        hand.step(step, loss.item(), optimizer)
        hand.mean("Loss/train/l1_loss", step, [layer.loss.item() for layer in style_layers])
        hand.add("Loss/train/mse_loss", step, content_sum.item())
        hand.saw("train", loss.item(), 1)
        optimizer.step()
    hand.end("train", 8)
    return image, optimizer
