"""One test after the last epoch: it stands at that epoch."""

from __future__ import annotations

import torch
from torch import nn
from torch.utils.data import DataLoader, TensorDataset


def loop(hand):
    torch.manual_seed(78)
    x = torch.randn(26, 4)
    y = (x @ torch.randn(4, 3)).argmax(1)
    train_loader = DataLoader(TensorDataset(x[:16], y[:16]), batch_size=6, shuffle=True)
    test_loader = DataLoader(TensorDataset(x[16:], y[16:]), batch_size=4)
    model = nn.Linear(4, 3)
    criterion = nn.CrossEntropyLoss()
    optimizer = torch.optim.SGD(model.parameters(), lr=0.3)
    step = 0
    for epoch in range(1, 4):
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
    with torch.no_grad():
        for inputs, labels in test_loader:
            outputs = model(inputs)
            hits = (outputs.argmax(1) == labels).sum()
            hand.saw("test", criterion(outputs, labels).item(), len(labels), correct=hits)
    hand.end("test", 3)
    return model, optimizer
