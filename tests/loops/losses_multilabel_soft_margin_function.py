"""F.multilabel_soft_margin_loss, written in Python too: accuracy is per label."""

from __future__ import annotations

import torch
import torch.nn as nn
import torch.nn.functional as F
from torch.utils.data import DataLoader, TensorDataset

_WHY = (
    "a loss written in Python leaves nothing to see when called as a function; "
    "its module is watched, or criterion= says it"
)
MISSING = {"Accuracy/train": _WHY, "Accuracy/val": _WHY, "Loss/val": _WHY}


def train_epoch(hand, model, loader, optimizer, step):
    model.train()
    for x, y in loader:
        out = model(x)
        loss = F.multilabel_soft_margin_loss(out, y)
        optimizer.zero_grad()
        loss.backward()
        hand.step(step, loss.item(), optimizer)
        hand.saw(
            "train", loss.item(), len(x), correct=((out > 0) == (y > 0.5)).sum(), counted=y.numel()
        )
        optimizer.step()
        step += 1
    return step


@torch.no_grad()
def validate(hand, model, loader):
    model.eval()
    for x, y in loader:
        out = model(x)
        loss = F.multilabel_soft_margin_loss(out, y)
        hand.saw(
            "val", loss.item(), len(x), correct=((out > 0) == (y > 0.5)).sum(), counted=y.numel()
        )


def loop(hand):
    torch.manual_seed(132)
    x = torch.randn(22, 4)
    y = (x @ torch.randn(4, 3) > 0).float()
    train_set, val_set = torch.utils.data.random_split(TensorDataset(x, y), [16, 6])
    loader = DataLoader(train_set, batch_size=6, shuffle=True)
    val_loader = DataLoader(val_set, batch_size=4)
    model = nn.Linear(4, 3)
    optimizer = torch.optim.Adam(model.parameters(), lr=0.05)
    step = 0
    for epoch in range(3):
        step = train_epoch(hand, model, loader, optimizer, step)
        hand.end("train", epoch)
        validate(hand, model, val_loader)
        hand.end("val", epoch)
    return model, optimizer
