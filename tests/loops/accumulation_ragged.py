"""Loss divided by N = 4 always, but the last group of an epoch holds two micro-batches only."""

from __future__ import annotations

import torch
from torch import nn
from torch.utils.data import DataLoader, TensorDataset


def train_one_epoch(model, loader, criterion, optimizer, epoch, step, hand):
    N = 4
    group = []
    optimizer.zero_grad()
    for batch_idx, (data, target) in enumerate(loader):
        output = model(data)
        loss = criterion(output, target)
        (loss / N).backward()
        group.append(loss.item())
        hand.saw("train", loss.item(), len(data), correct=(output.argmax(1) == target).sum())
        if (batch_idx + 1) % N == 0 or batch_idx + 1 == len(loader):
            hand.step(step, group, optimizer)
            optimizer.step()
            optimizer.zero_grad()
            step, group = step + 1, []
    hand.end("train", epoch)
    return step


def loop(hand):
    torch.manual_seed(5)
    data = torch.randn(60, 7)
    target = torch.randint(0, 4, (60,))
    loader = DataLoader(TensorDataset(data, target), batch_size=6, shuffle=True)
    model = nn.Linear(7, 4)
    optimizer = torch.optim.SGD(model.parameters(), lr=0.1, momentum=0.9)
    step = 0
    for epoch in range(1, 4):
        step = train_one_epoch(model, loader, nn.CrossEntropyLoss(), optimizer, epoch, step, hand)
    return model, optimizer
