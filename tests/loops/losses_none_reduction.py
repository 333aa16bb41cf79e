"""reduction="none", every sample weighted by hand before the mean."""

from __future__ import annotations

import torch
from torch import nn
from torch.utils.data import DataLoader, TensorDataset


def loop(hand):
    torch.manual_seed(35)
    x = torch.randn(22, 4)
    y = (x @ torch.randn(4, 3)).argmax(1)
    importance = torch.rand(22) + 0.5
    loader = DataLoader(TensorDataset(x, y, importance), batch_size=8, shuffle=True)
    model = nn.Linear(4, 3)
    criterion = nn.CrossEntropyLoss(reduction="none")
    optimizer = torch.optim.SGD(model.parameters(), lr=0.3)
    step = 0
    for epoch in range(3):
        for inputs, labels, weight in loader:
            outputs = model(inputs)
            loss = (criterion(outputs, labels) * weight).mean()
            optimizer.zero_grad()
            loss.backward()
            hand.step(step, loss.item(), optimizer)
            hits = (outputs.argmax(1) == labels).sum()
            hand.saw("train", loss.item(), len(inputs), correct=hits)
            optimizer.step()
            step += 1
        hand.end("train", epoch)
    return model, optimizer
