"""Multi-label: five independent yes-or-no answers a sample, accuracy per label."""

from __future__ import annotations

import torch
from torch import nn
from torch.utils.data import DataLoader, TensorDataset


def loop(hand):
    torch.manual_seed(43)
    x = torch.randn(22, 6)
    tags = (x @ torch.randn(6, 5) > 0.3).float()
    train_loader = DataLoader(TensorDataset(x[:16], tags[:16]), batch_size=6, shuffle=True)
    val_loader = DataLoader(TensorDataset(x[16:], tags[16:]), batch_size=4)
    model = nn.Linear(6, 5)
    criterion = nn.BCEWithLogitsLoss()
    optimizer = torch.optim.SGD(model.parameters(), lr=0.5)
    step = 0
    for epoch in range(3):
        model.train()
        for inputs, labels in train_loader:
            out = model(inputs)
            loss = criterion(out, labels)
            optimizer.zero_grad()
            loss.backward()
            hand.step(step, loss.item(), optimizer)
            hits = ((torch.sigmoid(out.detach()) > 0.5) == labels.bool()).sum()
            hand.saw("train", loss.item(), len(inputs), correct=hits, counted=labels.numel())
            optimizer.step()
            step += 1
        hand.end("train", epoch)
        model.eval()
        with torch.no_grad():
            for inputs, labels in val_loader:
                out = model(inputs)
                loss = criterion(out, labels)
                hits = ((torch.sigmoid(out) > 0.5) == labels.bool()).sum()
                hand.saw("val", loss.item(), len(inputs), correct=hits, counted=labels.numel())
        hand.end("val", epoch)
    return model, optimizer
