"""nn.HingeEmbeddingLoss on distances and labels of plus and minus one."""

from __future__ import annotations

import torch
from torch import nn
from torch.utils.data import DataLoader, TensorDataset

ABSENT = {"Accuracy/train", "Accuracy/val"}


def loop(hand):
    torch.manual_seed(111)
    a, b = torch.randn(22, 4), torch.randn(22, 4)
    same = torch.where(torch.rand(22) > 0.5, 1.0, -1.0)
    data = TensorDataset(a, b, same)
    train_set, val_set = torch.utils.data.random_split(data, [16, 6])
    train_loader = DataLoader(train_set, batch_size=6, shuffle=True)
    val_loader = DataLoader(val_set, batch_size=4)
    model = nn.Linear(4, 3)
    criterion = nn.HingeEmbeddingLoss(margin=1.5)
    optimizer = torch.optim.SGD(model.parameters(), lr=0.1)
    step = 0
    for epoch in range(3):
        model.train()
        for a, b, same in train_loader:
            optimizer.zero_grad()
            distance = (model(a) - model(b)).abs().sum(dim=1)
            loss = criterion(distance, same)
            loss.backward()
            hand.step(step, loss.item(), optimizer)
            hand.saw("train", loss.item(), len(a))
            optimizer.step()
            step += 1
        hand.end("train", epoch)
        model.eval()
        with torch.no_grad():
            for a, b, same in val_loader:
                distance = (model(a) - model(b)).abs().sum(dim=1)
                loss = criterion(distance, same)
                hand.saw("val", loss.item(), len(a))
        hand.end("val", epoch)
    return model, optimizer
