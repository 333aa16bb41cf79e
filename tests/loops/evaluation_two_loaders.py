"""A validation and a test loader through the same function: two phases of one epoch."""

from __future__ import annotations

import torch
from torch import nn
from torch.utils.data import DataLoader, TensorDataset


@torch.no_grad()
def evaluate(model, loader, criterion):
    model.eval()
    loss, correct, n = 0.0, 0, 0
    for x, y in loader:
        out = model(x)
        loss += criterion(out, y).item() * len(x)
        correct += int((out.argmax(1) == y).sum())
        n += len(x)
    model.train()
    return loss / n, 100 * correct / n


def loop(hand):
    torch.manual_seed(68)
    x = torch.randn(34, 4)
    y = (x @ torch.randn(4, 3)).argmax(1)
    train_loader = DataLoader(TensorDataset(x[:16], y[:16]), batch_size=6, shuffle=True)
    val_loader = DataLoader(TensorDataset(x[16:23], y[16:23]), batch_size=4)
    test_loader = DataLoader(TensorDataset(x[23:], y[23:]), batch_size=4)
    model = nn.Linear(4, 3)
    criterion = nn.CrossEntropyLoss()
    optimizer = torch.optim.SGD(model.parameters(), lr=0.3)
    step = 0
    for epoch in range(3):
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
        val_loss, val_acc = evaluate(model, val_loader, criterion)
        hand.add("Loss/val", epoch, val_loss)
        hand.add("Accuracy/val", epoch, val_acc)
        test_loss, test_acc = evaluate(model, test_loader, criterion)
        hand.add("Loss/test", epoch, test_loss)
        hand.add("Accuracy/test", epoch, test_acc)
    return model, optimizer
