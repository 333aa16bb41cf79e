"""F.cosine_embedding_loss on pairs."""

from __future__ import annotations

import torch
import torch.nn as nn
import torch.nn.functional as F
from torch.utils.data import DataLoader, TensorDataset

ABSENT = {"Accuracy/train", "Accuracy/val"}


def train_epoch(hand, model, loader, optimizer, step):
    model.train()
    for a, b, same in loader:
        left, right = model(a), model(b)
        loss = F.cosine_embedding_loss(left, right, same, margin=0.2)
        optimizer.zero_grad()
        loss.backward()
        hand.step(step, loss.item(), optimizer)
        hand.saw("train", loss.item(), len(a))
        optimizer.step()
        step += 1
    return step


@torch.no_grad()
def validate(hand, model, loader):
    model.eval()
    for a, b, same in loader:
        left, right = model(a), model(b)
        loss = F.cosine_embedding_loss(left, right, same, margin=0.2)
        hand.saw("val", loss.item(), len(a))


def loop(hand):
    torch.manual_seed(115)
    a, b = torch.randn(22, 4), torch.randn(22, 4)
    same = torch.where(torch.rand(22) > 0.5, 1.0, -1.0)
    train_set, val_set = torch.utils.data.random_split(TensorDataset(a, b, same), [16, 6])
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
