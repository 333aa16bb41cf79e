"""A validation before training starts, then one after every epoch."""

from __future__ import annotations

import torch
from torch import nn
from torch.utils.data import DataLoader, TensorDataset


def validate(model, loader, criterion):
    model.eval()
    loss_sum, correct, seen = 0.0, 0, 0
    with torch.no_grad():
        for inputs, labels in loader:
            outputs = model(inputs)
            loss_sum += criterion(outputs, labels).item() * len(labels)
            correct += int((outputs.argmax(1) == labels).sum())
            seen += len(labels)
    return loss_sum / seen, 100 * correct / seen


def loop(hand):
    torch.manual_seed(62)
    x = torch.randn(26, 4)
    y = (x @ torch.randn(4, 3)).argmax(1)
    train_loader = DataLoader(TensorDataset(x[:16], y[:16]), batch_size=6, shuffle=True)
    val_loader = DataLoader(TensorDataset(x[16:], y[16:]), batch_size=4)
    model = nn.Linear(4, 3)
    criterion = nn.CrossEntropyLoss()
    optimizer = torch.optim.SGD(model.parameters(), lr=0.3)

    loss, accuracy = validate(model, val_loader, criterion)
    hand.add("Loss/val_initial", 0, loss)
    hand.add("Accuracy/val_initial", 0, accuracy)

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
        loss, accuracy = validate(model, val_loader, criterion)
        hand.add("Loss/val", epoch, loss)
        hand.add("Accuracy/val", epoch, accuracy)
    return model, optimizer
