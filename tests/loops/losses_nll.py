"""nn.NLLLoss on log-probabilities."""

from __future__ import annotations

import torch
from torch import nn
from torch.utils.data import DataLoader, TensorDataset


def loop(hand):
    torch.manual_seed(104)
    x = torch.randn(22, 4)
    y = (x @ torch.randn(4, 3)).argmax(1)
    data = TensorDataset(x, y)
    train_set, val_set = torch.utils.data.random_split(data, [16, 6])
    train_loader = DataLoader(train_set, batch_size=6, shuffle=True)
    val_loader = DataLoader(val_set, batch_size=4)
    model = nn.Sequential(nn.Linear(4, 3), nn.LogSoftmax(dim=1))
    criterion = nn.NLLLoss()
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
            hand.saw("train", loss.item(), len(x), correct=(out.argmax(1) == y).sum())
            optimizer.step()
            step += 1
        hand.end("train", epoch)
        model.eval()
        with torch.no_grad():
            for x, y in val_loader:
                out = model(x)
                loss = criterion(out, y)
                hand.saw("val", loss.item(), len(x), correct=(out.argmax(1) == y).sum())
        hand.end("val", epoch)
    return model, optimizer
