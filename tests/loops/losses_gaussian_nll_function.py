"""F.gaussian_nll_loss, a loss that PyTorch writes in Python, called through the module of functions."""

from __future__ import annotations

import torch
import torch.nn as nn
import torch.nn.functional as F
from torch.utils.data import DataLoader, TensorDataset

_WHY = (
    "a loss written in Python leaves nothing to see when called as a function; "
    "its module is watched, or criterion= says it"
)
MISSING = {"Loss/val": _WHY}


def train_epoch(hand, model, loader, optimizer, step):
    model.train()
    for x, y in loader:
        mean, log_variance = model(x).unbind(1)
        loss = F.gaussian_nll_loss(mean, y, log_variance.exp())
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
        mean, log_variance = model(x).unbind(1)
        loss = F.gaussian_nll_loss(mean, y, log_variance.exp())
        hand.saw("val", loss.item(), len(x))


def loop(hand):
    torch.manual_seed(131)
    x = torch.randn(22, 4)
    y = x.sum(1) + 0.1 * torch.randn(22)
    train_set, val_set = torch.utils.data.random_split(TensorDataset(x, y), [16, 6])
    loader = DataLoader(train_set, batch_size=6, shuffle=True)
    val_loader = DataLoader(val_set, batch_size=4)
    model = nn.Linear(4, 2)
    optimizer = torch.optim.Adam(model.parameters(), lr=0.05)
    step = 0
    for epoch in range(3):
        step = train_epoch(hand, model, loader, optimizer, step)
        hand.end("train", epoch)
        validate(hand, model, val_loader)
        hand.end("val", epoch)
    return model, optimizer
