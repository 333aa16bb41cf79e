"""Tested as they are and attacked: gradients of the inputs alone are taken by `autograd.grad`."""

from __future__ import annotations

import torch
from torch import nn
from torch.utils.data import DataLoader, TensorDataset


def test(model, loader, criterion):
    model.eval()
    found = []
    for x, y in loader:
        with torch.no_grad():
            clean = criterion(model(x), y)
        x.requires_grad_()
        (gradient,) = torch.autograd.grad(criterion(model(x), y), x)
        with torch.no_grad():
            attacked = criterion(model(x + 0.2 * gradient.sign()), y)
        found.append((len(x), clean.item(), attacked.item()))
    return found


def loop(hand):
    torch.manual_seed(312)
    x = torch.randn(36, 5)
    y = (x[:, 0] > x[:, 1]).long()
    train_loader = DataLoader(TensorDataset(x[:20], y[:20]), batch_size=5)
    test_loader = DataLoader(TensorDataset(x[20:], y[20:]), batch_size=6)
    model = nn.Sequential(nn.Linear(5, 8), nn.Tanh(), nn.Linear(8, 2))
    criterion = nn.CrossEntropyLoss()
    optimizer = torch.optim.Adam(model.parameters(), lr=0.01)
    step = 0
    for epoch in range(3):
        model.train()
        for xb, yb in train_loader:
            out = model(xb)
            loss = criterion(out, yb)
            optimizer.zero_grad()
            loss.backward()
            hand.step(step, loss.item(), optimizer)
            hand.saw("train", loss.item(), len(xb), correct=(out.argmax(1) == yb).sum())
            optimizer.step()
            step += 1
        hand.end("train", epoch)
        sizes, clean, attacked = zip(*test(model, test_loader, criterion), strict=True)
        hand.mean("Loss/test/cross_entropy", epoch, clean, sizes)
        hand.mean("Loss/test/cross_entropy_2", epoch, attacked, sizes)
    return model, optimizer


ABSENT = {"Loss/test", "Accuracy/test"}
