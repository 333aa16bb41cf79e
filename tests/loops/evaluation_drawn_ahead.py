"""A prefetcher around each loader draws one batch ahead, so that the last one comes after its end.

The test has no criterion: its outputs are compared with the labels of batches, and the one in hand is
another.
"""

from __future__ import annotations

import torch
from torch import nn
from torch.utils.data import DataLoader, TensorDataset

ABSENT = {"Loss/test"}


class Prefetcher:
    def __init__(self, loader):
        self.loader = loader

    def __iter__(self):
        batches = iter(self.loader)
        batch = next(batches, None)
        while batch is not None:
            following = next(batches, None)
            yield batch
            batch = following


def loop(hand):
    torch.manual_seed(140)
    x = torch.randn(40, 4)
    y = (x @ torch.randn(4, 3)).argmax(1)
    train_loader = Prefetcher(DataLoader(TensorDataset(x[:23], y[:23]), batch_size=6))
    val_loader = Prefetcher(DataLoader(TensorDataset(x[23:33], y[23:33]), batch_size=4))
    test_loader = Prefetcher(DataLoader(TensorDataset(x[33:], y[33:]), batch_size=2))
    model = nn.Linear(4, 3)
    criterion = nn.CrossEntropyLoss()
    optimizer = torch.optim.SGD(model.parameters(), lr=0.3)
    step = 0
    for epoch in range(3):
        model.train()
        for inputs, labels in train_loader:
            outputs = model(inputs)
            loss = criterion(outputs, labels)
            optimizer.zero_grad()
            loss.backward()
            hand.step(step, loss.item(), optimizer)
            correct = (outputs.argmax(1) == labels).sum()
            hand.saw("train", loss.item(), len(labels), correct=correct)
            optimizer.step()
            step += 1
        hand.end("train", epoch)

        model.eval()
        right = 0
        with torch.no_grad():
            for inputs, labels in val_loader:
                outputs = model(inputs)
                loss = criterion(outputs, labels)
                correct = (outputs.argmax(1) == labels).sum()
                hand.saw("val", loss.item(), len(labels), correct=correct)
            for inputs, labels in test_loader:
                outputs = model(inputs)
                right += (outputs.argmax(1) == labels).sum().item()
        hand.end("val", epoch)
        hand.add("Accuracy/test", epoch, 100 * right / 7, rtol=1e-7)
    return model, optimizer
