"""Both the model and the moving average of its weights are evaluated on one loader, by one function."""

from __future__ import annotations

import copy

import torch
from torch import nn
from torch.utils.data import DataLoader, TensorDataset


@torch.no_grad()
def validate(net, loader, criterion):
    net.eval()
    found = []
    for inputs, labels in loader:
        outputs = net(inputs)
        hits = (outputs.argmax(1) == labels).sum()
        found.append((criterion(outputs, labels).item(), len(labels), hits))
    net.train()
    return found


def loop(hand):
    torch.manual_seed(314)
    x = torch.randn(33, 4)
    y = (x @ torch.randn(4, 3)).argmax(1)
    train_loader = DataLoader(TensorDataset(x[:20], y[:20]), batch_size=8, shuffle=True)
    val_loader = DataLoader(TensorDataset(x[20:], y[20:]), batch_size=5)
    model = nn.Linear(4, 3)
    ema_model = copy.deepcopy(model).requires_grad_(False)
    criterion = nn.CrossEntropyLoss()
    optimizer = torch.optim.SGD(model.parameters(), lr=0.3)
    step = 0
    for epoch in range(5):
        for inputs, labels in train_loader:
            outputs = model(inputs)
            loss = criterion(outputs, labels)
            optimizer.zero_grad()
            loss.backward()
            hand.step(step, loss.item(), optimizer)
            hand.saw("train", loss.item(), len(labels), correct=(outputs.argmax(1) == labels).sum())
            optimizer.step()
            step += 1
            for slow, fast in zip(ema_model.parameters(), model.parameters(), strict=True):
                slow.lerp_(fast.detach(), 0.2)
        hand.end("train", epoch)
        # Which of them comes first changes, and once there is only one.
        if epoch < 3:
            for loss, size, hits in validate(model, val_loader, criterion):
                hand.saw("val", loss, size, correct=hits)
            hand.end("val", epoch)
        for loss, size, hits in validate(ema_model, val_loader, criterion):
            hand.saw("val_ema", loss, size, correct=hits)
        hand.end("val_ema", epoch)
        if epoch == 4:
            for loss, size, hits in validate(model, val_loader, criterion):
                hand.saw("val", loss, size, correct=hits)
            hand.end("val", epoch)
    return model, ema_model, optimizer
