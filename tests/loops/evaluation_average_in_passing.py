"""Of each batch the moving average is asked as well: the accuracy is that of the trained model."""

from __future__ import annotations

import copy

import torch
from torch import nn
from torch.utils.data import DataLoader, TensorDataset

ABSENT = {"Loss/val"}


def loop(hand):
    torch.manual_seed(402)
    x = torch.randn(33, 4)
    y = (x @ torch.randn(4, 3)).argmax(1)
    train_loader = DataLoader(TensorDataset(x[:20], y[:20]), batch_size=8, shuffle=True)
    val_loader = DataLoader(TensorDataset(x[20:], y[20:]), batch_size=5)
    model = nn.Linear(4, 3)
    slow_model = copy.deepcopy(model).requires_grad_(False)
    criterion = nn.CrossEntropyLoss()
    optimizer = torch.optim.SGD(model.parameters(), lr=0.3)
    step, agreed = 0, 0
    for epoch in range(4):
        for inputs, labels in train_loader:
            outputs = model(inputs)
            loss = criterion(outputs, labels)
            optimizer.zero_grad()
            loss.backward()
            hand.step(step, loss.item(), optimizer)
            hand.saw("train", loss.item(), len(labels), correct=(outputs.argmax(1) == labels).sum())
            optimizer.step()
            step += 1
            for slow, fast in zip(slow_model.parameters(), model.parameters(), strict=True):
                slow.lerp_(fast.detach(), 0.1)
        hand.end("train", epoch)
        hits, seen = 0, 0
        with torch.no_grad():
            for inputs, labels in val_loader:
                # Which of them is called first changes.
                if epoch % 2:
                    beside, outputs = slow_model(inputs), model(inputs)
                else:
                    outputs, beside = model(inputs), slow_model(inputs)
                agreed += (outputs.argmax(1) == beside.argmax(1)).sum().item()
                hits += (outputs.argmax(1) == labels).sum().item()
                seen += len(labels)
        hand.add("Accuracy/val", epoch, 100 * hits / seen)
    assert agreed < 4 * 13, "else the average would have done as well"
    return model, slow_model, optimizer
