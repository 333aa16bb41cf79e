"""nn.SmoothL1Loss with a beta of its own."""

from __future__ import annotations

import torch
from torch import nn
from torch.utils.data import DataLoader, TensorDataset


def loop(hand):
    torch.manual_seed(102)
    x = torch.randn(22, 4)
    y = torch.tanh(x @ torch.randn(4, 3)) + 0.1 * torch.randn(22, 3)
    data = TensorDataset(x, y)
    train_set, val_set = torch.utils.data.random_split(data, [16, 6])
    train_loader = DataLoader(train_set, batch_size=6, shuffle=True)
    val_loader = DataLoader(val_set, batch_size=4)
    model = nn.Linear(4, 3)
    criterion = nn.SmoothL1Loss(beta=0.5)
    optimizer = torch.optim.SGD(model.parameters(), lr=0.1)
    step = 0
    for epoch in range(3):
        model.train()
        for x, y in train_loader:
            optimizer.zero_grad()
            out = model(x)
            loss = criterion(out, y)
            loss.backward()
            hand.step(step, loss.item(), optimizer)
            hand.saw("train", loss.item(), len(x), output=out, target=y)
            optimizer.step()
            step += 1
        hand.end("train", epoch)
        model.eval()
        with torch.no_grad():
            for x, y in val_loader:
                out = model(x)
                loss = criterion(out, y)
                hand.saw("val", loss.item(), len(x), output=out, target=y)
        hand.end("val", epoch)
    return model, optimizer
