"""Batches in a list: evaluated once in their order and once in reverse, the last trained one too."""

from __future__ import annotations

import torch
import torch.nn.functional as F
from torch import nn


def loop(hand):
    torch.manual_seed(323)
    x = torch.randn(22, 4)
    y = (x @ torch.randn(4, 3)).argmax(1)
    batches = list(zip(x.split(8), y.split(8)))
    model = nn.Linear(4, 3)
    optimizer = torch.optim.SGD(model.parameters(), lr=0.3)
    step = 0
    for epoch in range(4):
        for inputs, labels in batches:
            outputs = model(inputs)
            loss = F.cross_entropy(outputs, labels)
            optimizer.zero_grad()
            loss.backward()
            hand.step(step, loss.item(), optimizer)
            hand.saw("train", loss.item(), len(labels), correct=(outputs.argmax(1) == labels).sum())
            optimizer.step()
            step += 1
        hand.end("train", epoch)
        with torch.no_grad():
            for inputs, labels in batches if epoch % 2 else reversed(batches):
                outputs = model(inputs)
                value = F.cross_entropy(outputs, labels).item()
                hand.saw("val", value, len(labels), correct=(outputs.argmax(1) == labels).sum())
        hand.end("val", epoch)
    return model, optimizer
