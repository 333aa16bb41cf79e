"""Triplets drawn by class: the labels are in the batch, the outputs are embeddings, no accuracy."""

from __future__ import annotations

import torch
from torch import nn

ABSENT = {"Accuracy/train"}


def loop(hand):
    torch.manual_seed(51)
    x = torch.randn(24, 5)
    y = torch.arange(24) % 3
    net = nn.Sequential(nn.Linear(5, 8), nn.ReLU(), nn.Linear(8, 3))
    criterion = nn.TripletMarginLoss(margin=1.0)
    optimizer = torch.optim.SGD(net.parameters(), lr=0.05)
    step = 0
    for epoch in range(3):
        for start in range(0, 24, 9):
            xb, yb = x[start : start + 9], y[start : start + 9]
            positive = torch.stack([x[y == c][torch.randint(8, (1,))[0]] for c in yb])
            negative = torch.stack([x[y != c][torch.randint(16, (1,))[0]] for c in yb])
            loss = criterion(net(xb), net(positive), net(negative))
            optimizer.zero_grad()
            loss.backward()
            hand.step(step, loss.item(), optimizer)
            hand.saw("train", loss.item(), len(xb))
            optimizer.step()
            step += 1
        hand.end("train", epoch)
    return net, optimizer
