"""A sum divided by the batch size by hand: what is sent backward is a mean, and counts as one."""

from __future__ import annotations

import torch
import torch.nn.functional as F
from torch import nn
from torch.utils.data import DataLoader, TensorDataset


def loop(hand):
    torch.manual_seed(37)
    x = torch.randn(22, 4)
    y = (x @ torch.randn(4, 3)).argmax(1)
    loader = DataLoader(TensorDataset(x, y), batch_size=8, shuffle=True)
    model = nn.Linear(4, 3)
    optimizer = torch.optim.SGD(model.parameters(), lr=0.3)
    step = 0
    for epoch in range(3):
        for inputs, labels in loader:
            outputs = model(inputs)
            loss = F.cross_entropy(outputs, labels, reduction="sum") / inputs.size(0)
            optimizer.zero_grad()
            loss.backward()
            hand.step(step, loss.item(), optimizer)
            hits = (outputs.argmax(1) == labels).sum()
            hand.saw("train", loss.item(), len(inputs), correct=hits)
            optimizer.step()
            step += 1
        hand.end("train", epoch)
    return model, optimizer
