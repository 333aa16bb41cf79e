"""A model always in `eval()`, gradients always on, no loader: what is not backwarded evaluates."""

from __future__ import annotations

import torch
import torch.nn.functional as F
from torch import nn


def both(net, x, kind, size):
    out = net(x)
    return out, F.cross_entropy(out[:, :3], kind), F.mse_loss(out[:, 3:], size)


def loop(hand):
    torch.manual_seed(148)
    x = torch.randn(30, 5)
    kind, size = (x @ torch.randn(5, 3)).argmax(1), x.sum(1, keepdim=True)
    train, held = slice(0, 20), slice(20, 30)
    net = nn.Sequential(nn.Linear(5, 8), nn.BatchNorm1d(8), nn.Tanh(), nn.Linear(8, 4)).eval()
    optimizer = torch.optim.Adam(net.parameters(), lr=0.02)
    for epoch in range(5):
        out, ce, mse = both(net, x[train], kind[train], size[train])
        loss = ce + 0.3 * mse
        optimizer.zero_grad()
        loss.backward()
        hand.step(epoch, loss.item(), optimizer)
        hand.add("Loss/train/cross_entropy", epoch, ce.item())
        hand.add("Loss/train/mse_loss", epoch, mse.item())
        hits = (out[:, :3].argmax(1) == kind[train]).sum()
        hand.saw("train", loss.item(), 20, correct=hits, output=out[:, 3:], target=size[train])
        optimizer.step()
        hand.end("train", epoch)
        out, ce, mse = both(net, x[held], kind[held], size[held])
        hits = (out[:, :3].argmax(1) == kind[held]).sum()
        hand.saw("val", None, 10, correct=hits, output=out[:, 3:], target=size[held])
        hand.end("val", epoch, loss=False)
        hand.add("Loss/val/cross_entropy", epoch, ce.item())
        hand.add("Loss/val/mse_loss", epoch, mse.item())
    return net, optimizer


ABSENT = {"Loss/val"}
