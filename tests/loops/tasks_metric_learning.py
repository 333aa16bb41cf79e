"""Supervised contrastive criterion on (features, labels): it looks like a classifier, it is none."""

from __future__ import annotations

import torch
from torch import nn
from torch.utils.data import DataLoader, TensorDataset

ABSENT = {"Accuracy/train", "Accuracy/val"}


class SupConLoss(nn.Module):
    def __init__(self, temperature=0.5):
        super().__init__()
        self.temperature = temperature

    def forward(self, features, labels):
        features = features / features.norm(dim=1, keepdim=True)
        similarity = features @ features.T / self.temperature
        others = ~torch.eye(len(labels), dtype=torch.bool)
        same = (labels[:, None] == labels[None, :]) & others
        log_prob = similarity - (similarity.exp() * others).sum(1, keepdim=True).log()
        return -(log_prob * same).sum() / same.sum().clamp(min=1)


def loop(hand):
    torch.manual_seed(49)
    x = torch.randn(26, 5)
    y = torch.randint(0, 3, (26,))
    train_loader = DataLoader(TensorDataset(x[:18], y[:18]), batch_size=9, shuffle=True)
    val_loader = DataLoader(TensorDataset(x[18:], y[18:]), batch_size=8)
    model = nn.Linear(5, 3)
    criterion = SupConLoss()
    optimizer = torch.optim.SGD(model.parameters(), lr=0.1)
    step = 0
    for epoch in range(3):
        model.train()
        for images, labels in train_loader:
            loss = criterion(model(images), labels)
            optimizer.zero_grad()
            loss.backward()
            hand.step(step, loss.item(), optimizer)
            hand.saw("train", loss.item(), len(labels))
            optimizer.step()
            step += 1
        hand.end("train", epoch)
        model.eval()
        with torch.no_grad():
            for images, labels in val_loader:
                hand.saw("val", criterion(model(images), labels).item(), len(labels))
        hand.end("val", epoch)
    return model, optimizer
