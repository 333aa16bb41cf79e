"""F.triplet_margin_with_distance_loss with a distance of one's own."""

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


def manhattan(a, b):
    return (a - b).abs().sum(dim=1)


def train_epoch(hand, model, loader, optimizer, step):
    model.train()
    for anchor, positive, negative in loader:
        embedded = model(anchor), model(positive), model(negative)
        loss = F.triplet_margin_with_distance_loss(*embedded, distance_function=manhattan)
        optimizer.zero_grad()
        loss.backward()
        hand.step(step, loss.item(), optimizer)
        hand.saw("train", loss.item(), len(anchor))
        optimizer.step()
        step += 1
    return step


@torch.no_grad()
def validate(hand, model, loader):
    model.eval()
    for anchor, positive, negative in loader:
        embedded = model(anchor), model(positive), model(negative)
        loss = F.triplet_margin_with_distance_loss(*embedded, distance_function=manhattan)
        hand.saw("val", loss.item(), len(anchor))


def loop(hand):
    torch.manual_seed(119)
    anchor = torch.randn(22, 4)
    positive, negative = anchor + torch.randn(22, 4), torch.randn(22, 4)
    train_set, val_set = torch.utils.data.random_split(
        TensorDataset(anchor, positive, negative), [16, 6]
    )
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
