"""Tested on inputs that an attack has changed: its backward, in `eval()`, is none of training's."""

from __future__ import annotations

import torch
import torch.nn.functional as F
from torch import nn
from torch.utils.data import DataLoader, TensorDataset


def attacked(model, x, y):
    shift = torch.zeros_like(x, requires_grad=True)
    F.cross_entropy(model(x + shift), y).backward()
    return (x + 0.1 * shift.grad.sign()).detach()


def loop(hand):
    torch.manual_seed(311)
    x = torch.randn(44, 6)
    y = (x.sum(1) > 0).long()
    train_loader = DataLoader(TensorDataset(x[:24], y[:24]), batch_size=8, shuffle=True)
    test_loader = DataLoader(TensorDataset(x[24:], y[24:]), batch_size=8)
    model = nn.Sequential(nn.Linear(6, 8), nn.ReLU(), nn.Linear(8, 2))
    # Made for later and never used: that it has not stepped makes the attack no new training.
    later = torch.optim.Adam(model.parameters())
    optimizer = torch.optim.SGD(model.parameters(), lr=0.1, momentum=0.9)
    step = 0
    for epoch in range(4):
        model.train()
        for xb, yb in train_loader:
            optimizer.zero_grad()
            out = model(xb)
            loss = F.cross_entropy(out, yb)
            loss.backward()
            hand.step(step, loss.item(), optimizer)
            hand.saw("train", loss.item(), len(xb), correct=(out.argmax(1) == yb).sum())
            optimizer.step()
            step += 1
        hand.end("train", epoch)
        model.eval()
        for xb, yb in test_loader:
            changed = attacked(model, xb, yb)
            with torch.no_grad():
                out = model(changed)
                loss = F.cross_entropy(out, yb)
            hand.saw("test", loss.item(), len(xb), correct=(out.argmax(1) == yb).sum())
        hand.end("test", epoch)
    return model, optimizer, later
