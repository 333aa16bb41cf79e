"""Two folds, each with a network of its own that has batch normalisation; only answers are tested."""

from __future__ import annotations

import torch
from torch import nn
from torch.utils.data import DataLoader, TensorDataset


def loop(hand):
    torch.manual_seed(11)
    x = torch.randn(30, 4)
    y = (x @ torch.randn(4, 3)).argmax(1)
    train_loader = DataLoader(TensorDataset(x[:20], y[:20]), batch_size=5, shuffle=True)
    val_loader = DataLoader(TensorDataset(x[20:], y[20:]), batch_size=5)
    criterion = nn.CrossEntropyLoss()
    step = 0
    for fold in range(2):
        model = nn.Sequential(nn.Linear(4, 6), nn.BatchNorm1d(6), nn.ReLU(), nn.Linear(6, 3))
        optimizer = torch.optim.SGD(model.parameters(), lr=0.2)
        for epoch in range(2):
            model.train()
            for xb, yb in train_loader:
                scores = model(xb)
                loss = criterion(scores, yb)
                optimizer.zero_grad()
                loss.backward()
                hand.step(step, loss.item(), optimizer)
                hand.saw("train", loss.item(), len(xb), correct=(scores.argmax(1) == yb).sum())
                optimizer.step()
                step += 1
            hand.end("train", 2 * fold + epoch)
            model.eval()
            with torch.no_grad():
                for xb, yb in val_loader:
                    scores = model(xb)
                    hand.saw("val", None, len(xb), correct=(scores.argmax(1) == yb).sum())
            hand.end("val", 2 * fold + epoch, loss=False)
    return model, optimizer
