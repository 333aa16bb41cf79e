"""nn.MarginRankingLoss: which of two is the better one."""

from __future__ import annotations

import torch
from torch import nn
from torch.utils.data import DataLoader, TensorDataset

ABSENT = {"Accuracy/train", "Accuracy/val"}


def loop(hand):
    torch.manual_seed(116)
    a, b = torch.randn(22, 4), torch.randn(22, 4)
    better = (a.sum(1, keepdim=True) - b.sum(1, keepdim=True)).sign()
    data = TensorDataset(a, b, better)
    train_set, val_set = torch.utils.data.random_split(data, [16, 6])
    train_loader = DataLoader(train_set, batch_size=6, shuffle=True)
    val_loader = DataLoader(val_set, batch_size=4)
    model = nn.Linear(4, 1)
    criterion = nn.MarginRankingLoss(margin=0.1)
    optimizer = torch.optim.SGD(model.parameters(), lr=0.1)
    step = 0
    for epoch in range(3):
        model.train()
        for a, b, better in train_loader:
            optimizer.zero_grad()
            left, right = model(a), model(b)
            loss = criterion(left, right, better)
            loss.backward()
            hand.step(step, loss.item(), optimizer)
            hand.saw("train", loss.item(), len(a))
            optimizer.step()
            step += 1
        hand.end("train", epoch)
        model.eval()
        with torch.no_grad():
            for a, b, better in val_loader:
                left, right = model(a), model(b)
                loss = criterion(left, right, better)
                hand.saw("val", loss.item(), len(a))
        hand.end("val", epoch)
    return model, optimizer
