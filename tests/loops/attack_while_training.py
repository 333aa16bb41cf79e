"""Trained against an attack that is searched for in `eval()`: its losses evaluate nothing."""

from __future__ import annotations

import torch
import torch.nn.functional as F
from torch import nn
from torch.utils.data import DataLoader, TensorDataset


def searched(model, x):
    model.eval()
    wanted = F.softmax(model(x), 1).detach()
    changed = x + 0.01 * torch.randn_like(x)
    for _ in range(3):
        changed.requires_grad_()
        apart = F.kl_div(F.log_softmax(model(changed), 1), wanted, reduction="sum")
        (gradient,) = torch.autograd.grad(apart, [changed])
        changed = (changed + 0.05 * gradient.sign()).detach()
    model.train()
    return changed


def loop(hand):
    torch.manual_seed(313)
    x = torch.randn(40, 6)
    y = (x.sum(1) > 0).long()
    train_loader = DataLoader(TensorDataset(x[:24], y[:24]), batch_size=8)
    val_loader = DataLoader(TensorDataset(x[24:], y[24:]), batch_size=8)
    model = nn.Sequential(nn.Linear(6, 8), nn.BatchNorm1d(8), nn.ReLU(), nn.Linear(8, 2))
    optimizer = torch.optim.SGD(model.parameters(), lr=0.05)
    step = 0
    for epoch in range(3):
        for xb, yb in train_loader:
            changed = searched(model, xb)
            out = model(changed)
            loss = F.cross_entropy(out, yb)
            optimizer.zero_grad()
            loss.backward()
            hand.step(step, loss.item(), optimizer)
            hand.saw("train", loss.item(), len(xb), correct=(out.argmax(1) == yb).sum())
            optimizer.step()
            step += 1
        hand.end("train", epoch)
        model.eval()
        with torch.no_grad():
            for xb, yb in val_loader:
                out = model(xb)
                loss = F.cross_entropy(out, yb)
                hand.saw("val", loss.item(), len(xb), correct=(out.argmax(1) == yb).sum())
        hand.end("val", epoch)
        model.train()
    return model, optimizer
