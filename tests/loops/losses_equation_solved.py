"""A network that solves u'' = -u: its derivatives are asked for amid the loss, each step an epoch."""

from __future__ import annotations

import math

import torch
from torch import nn


def loop(hand):
    torch.manual_seed(0)
    inside = torch.linspace(0, 1, 12).reshape(-1, 1).requires_grad_()
    border = torch.tensor([[0.0], [1.0]])
    wanted = torch.tensor([[0.0], [math.sin(1.0)]])
    net = nn.Sequential(nn.Linear(1, 10), nn.Tanh(), nn.Linear(10, 1))
    optimizer = torch.optim.Adam(net.parameters(), lr=0.01)
    mse = nn.MSELoss()
    for epoch in range(150):
        optimizer.zero_grad()
        at_border = net(border)
        held = mse(at_border, wanted)
        u = net(inside)
        slope = torch.autograd.grad(u.sum(), inside, create_graph=True)[0]
        bend = torch.autograd.grad(slope.sum(), inside, create_graph=True)[0]
        physics = mse(bend, -u)
        loss = held + physics
        loss.backward()
        hand.step(epoch, loss.item(), optimizer)
        hand.add("Loss/train/mse_loss", epoch, held.item())
        hand.add("Loss/train/mse_loss_2", epoch, physics.item())
        hand.saw("train", loss.item(), 1)
        optimizer.step()
        hand.end("train", epoch)
    return net, optimizer
