"""Validation every third step inside an epoch: several points stand at one epoch."""

from __future__ import annotations

import torch
from torch import nn
from torch.utils.data import DataLoader, TensorDataset


def loop(hand):
    torch.manual_seed(63)
    x = torch.randn(33, 4)
    y = (x @ torch.randn(4, 3)).argmax(1)
    train_loader = DataLoader(TensorDataset(x[:24], y[:24]), batch_size=4, shuffle=True)
    dev_loader = DataLoader(TensorDataset(x[24:], y[24:]), batch_size=5)
    model = nn.Linear(4, 3)
    criterion = nn.CrossEntropyLoss()
    optimizer = torch.optim.SGD(model.parameters(), lr=0.3)
    step = 0
    for epoch in range(2):
        for inputs, labels in train_loader:
            model.train()
            outputs = model(inputs)
            loss = criterion(outputs, labels)
            optimizer.zero_grad()
            loss.backward()
            hand.step(step, loss.item(), optimizer)
            hand.saw("train", loss.item(), len(labels), correct=(outputs.argmax(1) == labels).sum())
            optimizer.step()
            step += 1
            if step % 3 == 0:
                model.eval()
                with torch.no_grad():
                    for inputs, labels in dev_loader:
                        outputs = model(inputs)
                        hits = (outputs.argmax(1) == labels).sum()
                        val_loss = criterion(outputs, labels).item()
                        hand.saw("val", val_loss, len(labels), correct=hits)
                hand.end("val", epoch)
        hand.end("train", epoch)
    return model, optimizer
