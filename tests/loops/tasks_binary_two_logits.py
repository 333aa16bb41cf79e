"""Binary with two logits and cross entropy: the larger one wins."""

from __future__ import annotations

import torch
from torch import nn
from torch.utils.data import DataLoader, TensorDataset


def loop(hand):
    torch.manual_seed(41)
    x = torch.randn(23, 4)
    y = (x[:, 0] - x[:, 1] > 0).long()
    loader = DataLoader(TensorDataset(x, y), batch_size=8, shuffle=True)
    model = nn.Linear(4, 2)
    criterion = nn.CrossEntropyLoss()
    optimizer = torch.optim.SGD(model.parameters(), lr=0.5)
    step = 0
    for epoch in range(3):
        for inputs, labels in loader:
            out = model(inputs)
            loss = criterion(out, labels)
            optimizer.zero_grad()
            loss.backward()
            hand.step(step, loss.item(), optimizer)
            hits = ((out[:, 1] > out[:, 0]).long() == labels).sum()
            hand.saw("train", loss.item(), len(labels), correct=hits)
            optimizer.step()
            step += 1
        hand.end("train", epoch)
    return model, optimizer
