"""Mixup as it is mostly written, both terms on one line: two calls, two components, no accuracy."""

from __future__ import annotations

import torch
from torch import nn
from torch.utils.data import DataLoader, TensorDataset

ABSENT = {"Accuracy/train"}


def mixup_criterion(criterion, pred, y_a, y_b, lam):
    return lam * criterion(pred, y_a) + (1 - lam) * criterion(pred, y_b)


def cross_entropy(pred, y):
    log_p = pred.detach() - pred.detach().exp().sum(1, keepdim=True).log()
    return -log_p[torch.arange(len(y)), y].mean().item()


def loop(hand):
    torch.manual_seed(38)
    x = torch.randn(22, 5)
    y = (x @ torch.randn(5, 3)).argmax(1)
    loader = DataLoader(TensorDataset(x, y), batch_size=8, shuffle=True)
    net = nn.Linear(5, 3)
    criterion = nn.CrossEntropyLoss()
    optimizer = torch.optim.SGD(net.parameters(), lr=0.2)
    step = 0
    for epoch in range(3):
        for inputs, targets in loader:
            lam = 0.5 + 0.5 * torch.rand(1).item()
            index = torch.randperm(len(inputs))
            outputs = net(lam * inputs + (1 - lam) * inputs[index])
            loss = mixup_criterion(criterion, outputs, targets, targets[index], lam)
            optimizer.zero_grad()
            loss.backward()
            first, second = cross_entropy(outputs, targets), cross_entropy(outputs, targets[index])
            hand.add("Loss/train/cross_entropy", step, first, rtol=1e-5)
            hand.add("Loss/train/cross_entropy_2", step, second, rtol=1e-5)
            hand.step(step, loss.item(), optimizer)
            hand.saw("train", loss.item(), len(inputs))
            optimizer.step()
            step += 1
        hand.end("train", epoch)
    return net, optimizer
