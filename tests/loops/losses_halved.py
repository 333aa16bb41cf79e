"""Training halves its loss, validation does not: two scales, and so two names."""

from __future__ import annotations

import torch
from torch import nn
from torch.utils.data import DataLoader, TensorDataset


def loop(hand):
    torch.manual_seed(332)
    x, y = torch.randn(30, 4), torch.randn(30, 2)
    train_loader = DataLoader(TensorDataset(x[:16], y[:16]), batch_size=8, shuffle=True)
    val_loader = DataLoader(TensorDataset(x[16:], y[16:]), batch_size=5)
    model = nn.Linear(4, 2)
    criterion = nn.MSELoss()
    optimizer = torch.optim.SGD(model.parameters(), lr=0.1)
    step = 0
    for epoch in range(3):
        model.train()
        for inputs, targets in train_loader:
            out = model(inputs)
            loss = 0.5 * criterion(out, targets)
            optimizer.zero_grad()
            loss.backward()
            hand.step(step, loss.item(), optimizer)
            hand.saw("train", loss.item(), len(inputs), output=out, target=targets)
            optimizer.step()
            step += 1
        hand.end("train", epoch)
        model.eval()
        with torch.no_grad():
            for inputs, targets in val_loader:
                out = model(inputs)
                loss = criterion(out, targets)
                hand.saw("val", loss.item(), len(inputs), "mse_loss")
                hand.saw("val", 0.0, len(inputs), output=out, target=targets)
        hand.end("val", epoch, "mse_loss")
        hand.end("val", epoch, loss=False)
    return model, optimizer
