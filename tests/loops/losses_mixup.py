"""Mixup with its two cross entropies on two lines: two components, and no accuracy."""

from __future__ import annotations

import torch
from torch import nn
from torch.utils.data import DataLoader, TensorDataset

ABSENT = {"Accuracy/train"}


def mixup_data(x, y, alpha=0.4):
    lam = float(torch.distributions.Beta(alpha, alpha).sample())
    index = torch.randperm(x.size(0))
    return lam * x + (1 - lam) * x[index], y, y[index], lam


def mixup_criterion(criterion, pred, y_a, y_b, lam, hand, step):
    loss_a = criterion(pred, y_a)
    loss_b = criterion(pred, y_b)
    hand.add("Loss/train/cross_entropy", step, loss_a.item())
    hand.add("Loss/train/cross_entropy_2", step, loss_b.item())
    return lam * loss_a + (1 - lam) * loss_b


def loop(hand):
    torch.manual_seed(23)
    x = torch.randn(22, 5)
    y = (x @ torch.randn(5, 3)).argmax(1)
    loader = DataLoader(TensorDataset(x, y), batch_size=8, shuffle=True)
    net = nn.Linear(5, 3)
    criterion = nn.CrossEntropyLoss()
    optimizer = torch.optim.SGD(net.parameters(), lr=0.2)
    step = 0
    for epoch in range(3):
        for inputs, targets in loader:
            inputs, targets_a, targets_b, lam = mixup_data(inputs, targets)
            outputs = net(inputs)
            loss = mixup_criterion(criterion, outputs, targets_a, targets_b, lam, hand, step)
            optimizer.zero_grad()
            loss.backward()
            hand.step(step, loss.item(), optimizer)
            hand.saw("train", loss.item(), len(inputs))
            optimizer.step()
            step += 1
        hand.end("train", epoch)
    return net, optimizer
