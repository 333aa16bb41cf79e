"""nn.LinearCrossEntropyLoss holds the last layer itself: what it is given are features, not classes."""

from __future__ import annotations

import torch
from torch import nn
from torch.utils.data import DataLoader, TensorDataset


def loop(hand):
    torch.manual_seed(5)
    x = torch.randn(20, 6)
    y = (x @ torch.randn(6, 4)).argmax(1)
    loader = DataLoader(TensorDataset(x, y), batch_size=8, shuffle=True)
    model = nn.Sequential(nn.Linear(6, 8), nn.Tanh())
    criterion = nn.LinearCrossEntropyLoss(8, 4)
    params = [*model.parameters(), *criterion.parameters()]
    optimizer = torch.optim.SGD(params, lr=0.3)
    step = 0
    for epoch in range(3):
        for xb, yb in loader:
            features = model(xb)
            loss = criterion(features, yb)
            optimizer.zero_grad()
            loss.backward()
            hand.step(step, loss.item(), optimizer)
            scores = features.detach() @ criterion.linear.weight.detach().T
            hand.saw("train", loss.item(), len(xb), correct=(scores.argmax(1) == yb).sum())
            optimizer.step()
            step += 1
        hand.end("train", epoch)
    return model, criterion, optimizer
