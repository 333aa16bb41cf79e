"""A loss with gradients, in train mode, never sent backward: nobody can tell what it was for."""

from __future__ import annotations

import torch
from torch import nn
from torch.utils.data import DataLoader, TensorDataset

ABSENT = {"Loss/val", "Accuracy/val", "Loss/train_eval", "Accuracy/train_eval"}


def loop(hand):
    torch.manual_seed(66)
    x = torch.randn(20, 4)
    y = (x @ torch.randn(4, 3)).argmax(1)
    loader = DataLoader(TensorDataset(x, y), batch_size=7, shuffle=True)
    model = nn.Linear(4, 3)
    criterion = nn.CrossEntropyLoss()
    optimizer = torch.optim.SGD(model.parameters(), lr=0.3)
    step = 0
    for epoch in range(2):
        for inputs, labels in loader:
            criterion(model(inputs + 0.1 * torch.randn_like(inputs)), labels)
            outputs = model(inputs)
            loss = criterion(outputs, labels)
            optimizer.zero_grad()
            loss.backward()
            hand.step(step, loss.item(), optimizer)
            hand.saw("train", loss.item(), len(labels), correct=(outputs.argmax(1) == labels).sum())
            optimizer.step()
            step += 1
        hand.end("train", epoch)
    return model, optimizer
