"""The training step is a function that knows nothing of epochs."""

from __future__ import annotations

import torch
from torch import nn
from torch.utils.data import DataLoader, TensorDataset


def train_step(hand, step, model, batch, criterion, optimizer):
    inputs, targets = batch
    optimizer.zero_grad()
    outputs = model(inputs)
    loss = criterion(outputs, targets)
    loss.backward()
    hand.step(step, loss.item(), optimizer)
    hand.saw("train", loss.item(), len(inputs), correct=(outputs.argmax(1) == targets).sum())
    optimizer.step()
    return loss.item()


def loop(hand):
    torch.manual_seed(94)
    x, y = torch.randn(14, 3), torch.randint(0, 2, (14,))
    loader = DataLoader(TensorDataset(x, y), batch_size=5, shuffle=True)
    model = nn.Linear(3, 2)
    criterion = nn.CrossEntropyLoss()
    optimizer = torch.optim.SGD(model.parameters(), lr=0.2)
    history = []
    for epoch in range(10, 13):
        for batch in loader:
            history.append(train_step(hand, len(history), model, batch, criterion, optimizer))
        hand.end("train", epoch)
    return model, optimizer
