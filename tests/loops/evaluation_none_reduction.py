"""Validation with reduction="none": every sample's loss is collected and averaged at the end."""

from __future__ import annotations

import torch
import torch.nn.functional as F
from torch import nn
from torch.utils.data import DataLoader, TensorDataset


def loop(hand):
    torch.manual_seed(83)
    x = torch.randn(27, 4)
    y = (x @ torch.randn(4, 3)).argmax(1)
    train_loader = DataLoader(TensorDataset(x[:16], y[:16]), batch_size=6, shuffle=True)
    val_loader = DataLoader(TensorDataset(x[16:], y[16:]), batch_size=5)
    model = nn.Linear(4, 3)
    optimizer = torch.optim.SGD(model.parameters(), lr=0.3)
    step = 0
    for epoch in range(3):
        model.train()
        for inputs, labels in train_loader:
            outputs = model(inputs)
            loss = F.cross_entropy(outputs, labels)
            optimizer.zero_grad()
            loss.backward()
            hand.step(step, loss.item(), optimizer)
            hand.saw("train", loss.item(), len(labels), correct=(outputs.argmax(1) == labels).sum())
            optimizer.step()
            step += 1
        hand.end("train", epoch)
        model.eval()
        losses, hits = [], []
        with torch.no_grad():
            for inputs, labels in val_loader:
                outputs = model(inputs)
                losses.append(F.cross_entropy(outputs, labels, reduction="none"))
                hits.append(outputs.argmax(1) == labels)
        hand.add("Loss/val", epoch, torch.cat(losses).double().mean().item())
        hand.add("Accuracy/val", epoch, 100 * torch.cat(hits).double().mean().item())
    return model, optimizer
