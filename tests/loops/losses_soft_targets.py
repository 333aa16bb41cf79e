"""Cross entropy against class probabilities: there is no accuracy to tell."""

from __future__ import annotations

import torch
from torch import nn
from torch.utils.data import DataLoader, TensorDataset

ABSENT = {"Accuracy/train", "R2/train", "MAE/train"}


def loop(hand):
    torch.manual_seed(22)
    x = torch.randn(20, 5)
    probabilities = torch.softmax(3 * x @ torch.randn(5, 4), dim=1)
    loader = DataLoader(TensorDataset(x, probabilities), batch_size=8)
    model = nn.Linear(5, 4)
    criterion = nn.CrossEntropyLoss()
    optimizer = torch.optim.SGD(model.parameters(), lr=0.5)
    step = 0
    for epoch in range(2):
        for inputs, soft in loader:
            loss = criterion(model(inputs), soft)
            optimizer.zero_grad()
            loss.backward()
            hand.step(step, loss.item(), optimizer)
            hand.saw("train", loss.item(), len(inputs))
            optimizer.step()
            step += 1
        hand.end("train", epoch)
    return model, optimizer
