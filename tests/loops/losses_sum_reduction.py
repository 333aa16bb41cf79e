"""reduction="sum" in training: a step's loss is the sum, an epoch's loss the mean over samples."""

from __future__ import annotations

import torch
from torch import nn
from torch.utils.data import DataLoader, TensorDataset


def loop(hand):
    torch.manual_seed(34)
    x = torch.randn(22, 4)
    y = (x @ torch.randn(4, 3)).argmax(1)
    loader = DataLoader(TensorDataset(x, y), batch_size=8, shuffle=True)
    model = nn.Linear(4, 3)
    criterion = nn.CrossEntropyLoss(reduction="sum")
    optimizer = torch.optim.SGD(model.parameters(), lr=0.01)
    step = 0
    for epoch in range(3):
        running_loss, running_corrects = 0.0, 0
        for inputs, labels in loader:
            optimizer.zero_grad()
            outputs = model(inputs)
            loss = criterion(outputs, labels)
            loss.backward()
            hand.step(step, loss.item(), optimizer)
            optimizer.step()
            running_loss += loss.item()
            running_corrects += int((outputs.argmax(1) == labels).sum())
            step += 1
        hand.add("Loss/train_epoch", epoch, running_loss / len(x))
        hand.add("Accuracy/train", epoch, 100 * running_corrects / len(x))
    return model, optimizer
