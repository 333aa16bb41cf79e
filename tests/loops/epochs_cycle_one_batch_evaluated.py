"""itertools.cycle(loader) and a validation of one batch drawn anew every fourth step."""

from __future__ import annotations

import itertools

import torch
import torch.nn.functional as F
from torch import nn
from torch.utils.data import DataLoader, TensorDataset


def loop(hand):
    torch.manual_seed(302)
    x = torch.randn(30, 4)
    y = x @ torch.randn(4, 2)
    train_loader = DataLoader(TensorDataset(x[:18], y[:18]), batch_size=5)
    val_loader = DataLoader(TensorDataset(x[18:], y[18:]), batch_size=6)
    model = nn.Linear(4, 2)
    optimizer = torch.optim.SGD(model.parameters(), lr=0.1)
    step = 0
    for inputs, targets in itertools.cycle(train_loader):
        outputs = model(inputs)
        loss = F.mse_loss(outputs, targets)
        optimizer.zero_grad()
        loss.backward()
        hand.step(step, loss.item(), optimizer)
        hand.saw("train", loss.item(), len(inputs), output=outputs, target=targets)
        optimizer.step()
        step += 1
        if step % 4 == 0 or step == 13:
            hand.end("train", (step - 1) // 4)
        if step % 4 == 0:
            with torch.no_grad():
                inputs, targets = next(iter(val_loader))
                outputs = model(inputs)
                value = F.mse_loss(outputs, targets).item()
                hand.saw("val", value, len(inputs), output=outputs, target=targets)
            hand.end("val", (step - 1) // 4)
        if step == 13:
            break
    return model, optimizer
