"""A test without a criterion that passes over its first batch, as one that was drawn ahead would be.

Which batch an output belongs to could only be guessed.
"""

from __future__ import annotations

import torch
from torch import nn
from torch.utils.data import DataLoader, TensorDataset

MISSING = {"Accuracy/test": "two batches came before the first was used: one may be drawn ahead"}


def loop(hand):
    torch.manual_seed(143)
    x = torch.randn(31, 4)
    y = (x @ torch.randn(4, 3)).argmax(1)
    train_loader = DataLoader(TensorDataset(x[:18], y[:18]), batch_size=6)
    test_loader = DataLoader(TensorDataset(x[18:], y[18:]), batch_size=4)
    model = nn.Linear(4, 3)
    optimizer = torch.optim.SGD(model.parameters(), lr=0.3)
    step = 0
    for epoch in range(3):
        for inputs, labels in train_loader:
            outputs = model(inputs)
            loss = nn.functional.cross_entropy(outputs, labels)
            optimizer.zero_grad()
            loss.backward()
            hand.step(step, loss.item(), optimizer)
            correct = (outputs.argmax(1) == labels).sum()
            hand.saw("train", loss.item(), len(labels), correct=correct)
            optimizer.step()
            step += 1
        hand.end("train", epoch)
        right = 0
        with torch.no_grad():
            for number, (inputs, labels) in enumerate(test_loader):
                if number == 0:
                    continue
                right += (model(inputs).argmax(1) == labels).sum().item()
        hand.add("Accuracy/test", epoch, 100 * right / 9)
    return model, optimizer
