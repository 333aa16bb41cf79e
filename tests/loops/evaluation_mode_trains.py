"""A fine-tuning with its normalisation frozen, by `eval()`: two terms, and no evaluation."""

from __future__ import annotations

import torch
import torch.nn.functional as F
from torch import nn
from torch.utils.data import DataLoader, TensorDataset


def loop(hand):
    torch.manual_seed(147)
    x = torch.randn(24, 5)
    kind, size = (x @ torch.randn(5, 3)).argmax(1), x.sum(1, keepdim=True)
    loader = DataLoader(TensorDataset(x, kind, size), batch_size=8)
    net = nn.Sequential(nn.Linear(5, 8), nn.BatchNorm1d(8), nn.Tanh(), nn.Linear(8, 4))
    optimizer = torch.optim.Adam(net.parameters(), lr=0.02)
    net.eval()
    step = 0
    for epoch in range(3):
        for xb, kb, sb in loader:
            out = net(xb)
            ce = F.cross_entropy(out[:, :3], kb)
            mse = F.mse_loss(out[:, 3:], sb)
            loss = ce + 0.3 * mse
            optimizer.zero_grad()
            loss.backward()
            hand.step(step, loss.item(), optimizer)
            hand.add("Loss/train/cross_entropy", step, ce.item())
            hand.add("Loss/train/mse_loss", step, mse.item())
            hits = (out[:, :3].argmax(1) == kb).sum()
            hand.saw("train", loss.item(), 8, correct=hits, output=out[:, 3:], target=sb)
            optimizer.step()
            step += 1
        hand.end("train", epoch)
    return net, optimizer
