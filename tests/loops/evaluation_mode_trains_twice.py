"""Two losses of a model in `eval()`, computed one after the other and then backwarded in turn."""

from __future__ import annotations

import torch
import torch.nn.functional as F
from torch import nn


def loop(hand):
    torch.manual_seed(149)
    xs = torch.randn(30, 5)
    kinds, sizes = (xs @ torch.randn(5, 3)).argmax(1), xs.sum(1, keepdim=True)
    net = nn.Sequential(nn.Linear(5, 8), nn.BatchNorm1d(8), nn.Tanh(), nn.Linear(8, 4)).eval()
    optimizer = torch.optim.Adam(net.parameters(), lr=0.02)
    step = 0
    for epoch in range(3):
        for x, kind, size in zip(xs.split(10), kinds.split(10), sizes.split(10)):
            out = net(x)
            ce = F.cross_entropy(out[:, :3], kind)
            mse = F.mse_loss(out[:, 3:], size)
            optimizer.zero_grad()
            ce.backward(retain_graph=True)
            mse.backward()
            hand.step(step, ce.item() + mse.item(), optimizer, rtol=1e-6)
            hand.add("Loss/train/cross_entropy", step, ce.item())
            hand.add("Loss/train/mse_loss", step, mse.item())
            hits = (out[:, :3].argmax(1) == kind).sum()
            hand.saw("train", ce.item() + mse.item(), 10, correct=hits, output=out[:, 3:], target=size)
            optimizer.step()
            step += 1
        hand.end("train", epoch)
    return net, optimizer
