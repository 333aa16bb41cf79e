"""Everything in one function; a validation batch may be ragged, down to a single sample."""

from __future__ import annotations

import torch
from torch import nn
from torch.utils.data import DataLoader, TensorDataset


def loop(hand):
    torch.manual_seed(61)
    x = torch.randn(27, 4)
    y = (x @ torch.randn(4, 3)).argmax(1)
    y[26] = (y[26] + 1) % 3
    train_dataloader = DataLoader(TensorDataset(x[:16], y[:16]), batch_size=5, shuffle=True)
    # Batches of 5, 5 and 1: a mean of batch means would weigh the odd last sample five times.
    valid_dataloader = DataLoader(TensorDataset(x[16:], y[16:]), batch_size=5)
    model = nn.Linear(4, 3)
    loss_fn = nn.CrossEntropyLoss()
    optimizer = torch.optim.SGD(model.parameters(), lr=0.5)
    step = 0
    for epoch in range(3):
        model.train()
        for X, Y in train_dataloader:
            pred = model(X)
            loss = loss_fn(pred, Y)
            loss.backward()
            hand.step(step, loss.item(), optimizer)
            hand.saw("train", loss.item(), len(X), correct=(pred.argmax(1) == Y).sum())
            optimizer.step()
            optimizer.zero_grad()
            step += 1
        hand.end("train", epoch)

        model.eval()
        total, correct = 0.0, 0
        with torch.no_grad():
            for X, Y in valid_dataloader:
                pred = model(X)
                total += loss_fn(pred, Y).item() * len(X)
                correct += int((pred.argmax(1) == Y).sum())
        hand.add("Loss/val", epoch, total / 11)
        hand.add("Accuracy/val", epoch, 100 * correct / 11)
    return model, optimizer
