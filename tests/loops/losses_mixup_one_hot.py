"""Mixup by one-hot targets: one criterion call, no accuracy in training, a true one in validation."""

from __future__ import annotations

import torch
import torch.nn.functional as F
from torch import nn
from torch.utils.data import DataLoader, TensorDataset

ABSENT = {"Accuracy/train"}


def loop(hand):
    torch.manual_seed(24)
    x = torch.randn(26, 5)
    y = (x @ torch.randn(5, 3)).argmax(1)
    train_dl = DataLoader(TensorDataset(x[:18], y[:18]), batch_size=7, shuffle=True)
    val_dl = DataLoader(TensorDataset(x[18:], y[18:]), batch_size=5)
    model = nn.Linear(5, 3)
    optimizer = torch.optim.SGD(model.parameters(), lr=0.2)
    step = 0
    for epoch in range(3):
        model.train()
        for xb, yb in train_dl:
            lam = 0.5 + 0.5 * torch.rand(1).item()
            order = torch.randperm(len(xb))
            one_hot = F.one_hot(yb, 3).float()
            mixed = lam * one_hot + (1 - lam) * one_hot[order]
            loss = F.cross_entropy(model(lam * xb + (1 - lam) * xb[order]), mixed)
            optimizer.zero_grad()
            loss.backward()
            hand.step(step, loss.item(), optimizer)
            hand.saw("train", loss.item(), len(xb))
            optimizer.step()
            step += 1
        hand.end("train", epoch)
        model.eval()
        with torch.no_grad():
            for xb, yb in val_dl:
                out = model(xb)
                val_loss = F.cross_entropy(out, yb)
                hand.saw("val", val_loss.item(), len(xb), correct=(out.argmax(1) == yb).sum())
        hand.end("val", epoch)
    return model, optimizer
