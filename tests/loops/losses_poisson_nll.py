"""F.poisson_nll_loss on counts: a loss, no accuracy."""

from __future__ import annotations

import torch
import torch.nn as nn
import torch.nn.functional as F
from torch.utils.data import DataLoader, TensorDataset


def train_epoch(hand, model, loader, optimizer, step):
    model.train()
    for x, y in loader:
        out = model(x)
        loss = F.poisson_nll_loss(out, y)
        optimizer.zero_grad()
        loss.backward()
        hand.step(step, loss.item(), optimizer)
        hand.saw("train", loss.item(), len(x))
        optimizer.step()
        step += 1
    return step


@torch.no_grad()
def validate(hand, model, loader):
    model.eval()
    for x, y in loader:
        out = model(x)
        loss = F.poisson_nll_loss(out, y)
        hand.saw("val", loss.item(), len(x))


def loop(hand):
    torch.manual_seed(108)
    x = torch.randn(22, 4)
    y = torch.poisson(x.abs().sum(1, keepdim=True))
    train_set, val_set = torch.utils.data.random_split(TensorDataset(x, y), [16, 6])
    loader = DataLoader(train_set, batch_size=6, shuffle=True)
    val_loader = DataLoader(val_set, batch_size=4)
    model = nn.Linear(4, 1)
    optimizer = torch.optim.Adam(model.parameters(), lr=0.05)
    step = 0
    for epoch in range(3):
        step = train_epoch(hand, model, loader, optimizer, step)
        hand.end("train", epoch)
        validate(hand, model, val_loader)
        hand.end("val", epoch)
    return model, optimizer
