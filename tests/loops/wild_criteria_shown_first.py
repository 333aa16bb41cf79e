"""A lesson shows what criteria return for made-up numbers before it trains: that evaluates nothing.

A true evaluation before training, under `no_grad`, is one.
"""

from __future__ import annotations

import torch
from torch import nn
from torch.utils.data import DataLoader, TensorDataset


def loop(hand):
    torch.manual_seed(191)
    probability, label = torch.tensor([0.8]), torch.tensor([1.0])
    shown = [nn.BCELoss()(probability, label), nn.BCEWithLogitsLoss()(probability, label)]
    scores = torch.tensor([[1.5, 0.8, 2.1]])
    criterion = nn.CrossEntropyLoss()
    shown += [criterion(scores, torch.tensor([2])), nn.NLLLoss()(scores, torch.tensor([2]))]

    x, y = torch.randn(40, 4), torch.randint(0, 3, (40,))
    train_dl = DataLoader(TensorDataset(x[:30], y[:30]), batch_size=10)
    valid_dl = DataLoader(TensorDataset(x[30:], y[30:]), batch_size=5)
    model = nn.Linear(4, 3)
    optimizer = torch.optim.SGD(model.parameters(), lr=0.2)

    def validate(phase):
        model.eval()
        with torch.no_grad():
            for x_batch, y_batch in valid_dl:
                pred = model(x_batch)
                loss = criterion(pred, y_batch)
                correct = (pred.argmax(1) == y_batch).sum()
                hand.saw(phase, loss.item(), len(x_batch), correct=correct)

    validate("val_initial")
    hand.end("val_initial", 0)
    step = 0
    for epoch in range(3):
        model.train()
        for x_batch, y_batch in train_dl:
            pred = model(x_batch)
            loss = criterion(pred, y_batch)
            loss.backward()
            hand.step(step, loss.item(), optimizer)
            hand.saw("train", loss.item(), 10, correct=(pred.argmax(1) == y_batch).sum())
            optimizer.step()
            optimizer.zero_grad()
            step += 1
        hand.end("train", epoch)
        validate("val")
        hand.end("val", epoch)
    return shown, model, optimizer
