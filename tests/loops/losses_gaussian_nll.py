"""nn.GaussianNLLLoss, the model answers with a mean and a variance."""

from __future__ import annotations

import torch
from torch import nn
from torch.utils.data import DataLoader, TensorDataset


def loop(hand):
    torch.manual_seed(109)
    x = torch.randn(22, 4)
    y = x.sum(1) + 0.1 * torch.randn(22)
    data = TensorDataset(x, y)
    train_set, val_set = torch.utils.data.random_split(data, [16, 6])
    train_loader = DataLoader(train_set, batch_size=6, shuffle=True)
    val_loader = DataLoader(val_set, batch_size=4)
    model = nn.Linear(4, 2)
    criterion = nn.GaussianNLLLoss()
    optimizer = torch.optim.SGD(model.parameters(), lr=0.1)
    step = 0
    for epoch in range(3):
        model.train()
        for x, y in train_loader:
            optimizer.zero_grad()
            mean, log_variance = model(x).unbind(1)
            loss = criterion(mean, y, log_variance.exp())
            loss.backward()
            hand.step(step, loss.item(), optimizer)
            hand.saw("train", loss.item(), len(x))
            optimizer.step()
            step += 1
        hand.end("train", epoch)
        model.eval()
        with torch.no_grad():
            for x, y in val_loader:
                mean, log_variance = model(x).unbind(1)
                loss = criterion(mean, y, log_variance.exp())
                hand.saw("val", loss.item(), len(x))
        hand.end("val", epoch)
    return model, optimizer
