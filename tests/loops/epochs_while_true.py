"""while True with a patience: the epoch is raised first, and the loop leaves when nothing improves."""

from __future__ import annotations

import torch
from torch import nn
from torch.utils.data import DataLoader, TensorDataset


def loop(hand):
    torch.manual_seed(93)
    x, y = torch.randn(20, 3), torch.randint(0, 2, (20,))
    train_loader = DataLoader(TensorDataset(x[:13], y[:13]), batch_size=5, shuffle=True)
    val_loader = DataLoader(TensorDataset(x[13:], y[13:]), batch_size=5)
    model = nn.Linear(3, 2)
    criterion = nn.CrossEntropyLoss()
    optimizer = torch.optim.SGD(model.parameters(), lr=1.0)
    best, waited, epoch, step = float("inf"), 0, 0, 0
    while True:
        epoch += 1
        model.train()
        for xb, yb in train_loader:
            out = model(xb)
            loss = criterion(out, yb)
            optimizer.zero_grad()
            loss.backward()
            hand.step(step, loss.item(), optimizer)
            hand.saw("train", loss.item(), len(xb), correct=(out.argmax(1) == yb).sum())
            optimizer.step()
            step += 1
        hand.end("train", epoch)
        model.eval()
        val_loss = 0.0
        with torch.no_grad():
            for xb, yb in val_loader:
                out = model(xb)
                batch_loss = criterion(out, yb).item()
                val_loss += batch_loss * len(xb)
                hand.saw("val", batch_loss, len(xb), correct=(out.argmax(1) == yb).sum())
        hand.end("val", epoch)
        if val_loss < best:
            best, waited = val_loss, 0
        else:
            waited += 1
        if waited == 2 or epoch == 6:
            break
    return model, optimizer
