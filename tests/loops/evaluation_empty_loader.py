"""The validation set is empty: no batch, no point, no division by zero."""

from __future__ import annotations

import torch
from torch import nn
from torch.utils.data import DataLoader, TensorDataset

ABSENT = {"Loss/val", "Accuracy/val"}


def loop(hand):
    torch.manual_seed(71)
    x = torch.randn(20, 4)
    y = (x @ torch.randn(4, 3)).argmax(1)
    train_loader = DataLoader(TensorDataset(x, y), batch_size=6, shuffle=True)
    val_loader = DataLoader(TensorDataset(x[:0], y[:0]), batch_size=6)
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
            hand.saw("train", loss.item(), len(labels), correct=(outputs.argmax(1) == labels).sum())
            optimizer.step()
            step += 1
        hand.end("train", epoch)
        model.eval()
        val_losses = []
        with torch.no_grad():
            for inputs, labels in val_loader:
                val_losses.append(criterion(model(inputs), labels).item())
        assert not val_losses
    return model, optimizer
