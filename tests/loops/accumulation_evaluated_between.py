"""Evaluation falls between two micro-batches of one step."""

from __future__ import annotations

import torch
import torch.nn.functional as F
from torch import nn
from torch.utils.data import DataLoader, TensorDataset


def loop(hand):
    torch.manual_seed(327)
    x = torch.randn(34, 4)
    y = (x @ torch.randn(4, 3)).argmax(1)
    train_loader = DataLoader(TensorDataset(x[:24], y[:24]), batch_size=4, shuffle=True)
    val_loader = DataLoader(TensorDataset(x[24:], y[24:]), batch_size=6)
    model = nn.Linear(4, 3)
    optimizer = torch.optim.SGD(model.parameters(), lr=0.3)
    step, losses = 0, []
    for epoch in range(3):
        for i, (inputs, labels) in enumerate(train_loader):
            outputs = model(inputs)
            loss = F.cross_entropy(outputs, labels) / 2
            loss.backward()
            losses.append(loss.item() * 2)
            hand.saw("train", losses[-1], len(labels), correct=(outputs.argmax(1) == labels).sum())
            if i == 2:
                with torch.no_grad():
                    for vx, vy in val_loader:
                        out = model(vx)
                        value = F.cross_entropy(out, vy).item()
                        hand.saw("val", value, len(vy), correct=(out.argmax(1) == vy).sum())
                hand.end("val", epoch)
            if i % 2 == 1:
                hand.step(step, losses, optimizer)
                losses = []
                optimizer.step()
                optimizer.zero_grad()
                step += 1
        hand.end("train", epoch)
    return model, optimizer
