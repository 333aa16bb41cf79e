"""The training batch is looked at once more after the step: a check of the step, no evaluation."""

from __future__ import annotations

import torch
from torch import nn
from torch.utils.data import DataLoader, TensorDataset

ABSENT = {
    "Loss/val",
    "Loss/train_eval",
    "Accuracy/val",
    "Accuracy/train_eval",
}


def loop(hand):
    torch.manual_seed(76)
    x = torch.randn(20, 4)
    y = (x @ torch.randn(4, 3)).argmax(1)
    loader = DataLoader(TensorDataset(x, y), batch_size=7, shuffle=True)
    model = nn.Linear(4, 3)
    criterion = nn.CrossEntropyLoss()
    optimizer = torch.optim.SGD(model.parameters(), lr=0.3)
    step = 0
    improved = []
    for epoch in range(3):
        for inputs, labels in loader:
            outputs = model(inputs)
            loss = criterion(outputs, labels)
            optimizer.zero_grad()
            loss.backward()
            hand.step(step, loss.item(), optimizer)
            hand.saw("train", loss.item(), len(labels), correct=(outputs.argmax(1) == labels).sum())
            optimizer.step()
            step += 1
            with torch.no_grad():
                after = criterion(model(inputs), labels)
            improved.append(loss.item() - after.item())
        hand.end("train", epoch)
    return model, optimizer
