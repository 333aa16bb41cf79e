"""After every epoch the training loader is evaluated too, by the same function as the validation."""

from __future__ import annotations

import torch
from torch import nn
from torch.utils.data import DataLoader, TensorDataset


def check_accuracy(hand, phase, loader, model, criterion, epoch):
    model.eval()
    with torch.no_grad():
        for x, y in loader:
            scores = model(x)
            hits = (scores.max(1).indices == y).sum()
            hand.saw(phase, criterion(scores, y).item(), len(y), correct=hits)
    hand.end(phase, epoch)
    model.train()


def loop(hand):
    torch.manual_seed(70)
    x = torch.randn(26, 4)
    y = (x @ torch.randn(4, 3)).argmax(1)
    train_loader = DataLoader(TensorDataset(x[:16], y[:16]), batch_size=6, shuffle=True)
    val_loader = DataLoader(TensorDataset(x[16:], y[16:]), batch_size=4)
    model = nn.Sequential(nn.Linear(4, 8), nn.Dropout(0.5), nn.Linear(8, 3))
    criterion = nn.CrossEntropyLoss()
    optimizer = torch.optim.Adam(model.parameters(), lr=0.05)
    step = 0
    for epoch in range(3):
        for data, targets in train_loader:
            scores = model(data)
            loss = criterion(scores, targets)
            optimizer.zero_grad()
            loss.backward()
            hand.step(step, loss.item(), optimizer)
            hand.saw("train", loss.item(), len(data), correct=(scores.argmax(1) == targets).sum())
            optimizer.step()
            step += 1
        hand.end("train", epoch)
        check_accuracy(hand, "train_eval", train_loader, model, criterion, epoch)
        check_accuracy(hand, "val", val_loader, model, criterion, epoch)
    return model, optimizer
