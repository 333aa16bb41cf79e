"""`zero_grad` between backward and step: nothing is learned, and the losses belong to no step."""

from __future__ import annotations

import torch
import torch.nn.functional as F
from torch import nn
from torch.utils.data import DataLoader, TensorDataset

_WHY = "the gradients are cleared before the step: no loss leads to one"
MISSING = {"Accuracy/train": _WHY, "Loss/train_epoch": _WHY}


def loop(hand):
    torch.manual_seed(322)
    x, y = torch.randn(20, 4), torch.randint(0, 3, (20,))
    loader = DataLoader(TensorDataset(x, y), batch_size=8)
    model = nn.Linear(4, 3)
    optimizer = torch.optim.SGD(model.parameters(), lr=0.3)
    step = 0
    for epoch in range(3):
        for inputs, labels in loader:
            out = model(inputs)
            loss = F.cross_entropy(out, labels)
            loss.backward()
            hand.saw("train", loss.item(), len(labels), correct=(out.argmax(1) == labels).sum())
            optimizer.zero_grad()
            hand.learning_rates(step, optimizer)
            optimizer.step()
            step += 1
        hand.end("train", epoch)
    return model, optimizer
