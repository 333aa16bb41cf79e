"""A focal loss as a module around cross entropy: its own value is the loss, also in validation."""

from __future__ import annotations

import torch
import torch.nn.functional as F
from torch import nn
from torch.utils.data import DataLoader, TensorDataset


class FocalLoss(nn.Module):
    def __init__(self, gamma=2.0):
        super().__init__()
        self.gamma = gamma

    def forward(self, logits, target):
        ce = F.cross_entropy(logits, target, reduction="none")
        return ((1 - torch.exp(-ce)) ** self.gamma * ce).mean()


def loop(hand):
    torch.manual_seed(25)
    x = torch.randn(26, 5)
    y = (x @ torch.randn(5, 3)).argmax(1)
    train_loader = DataLoader(TensorDataset(x[:18], y[:18]), batch_size=7, shuffle=True)
    val_loader = DataLoader(TensorDataset(x[18:], y[18:]), batch_size=5)
    model = nn.Linear(5, 3)
    criterion = FocalLoss()
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
            hand.saw("train", loss.item(), len(inputs), correct=(out.argmax(1) == labels).sum())
            optimizer.step()
            step += 1
        hand.end("train", epoch)
        model.eval()
        with torch.no_grad():
            for inputs, labels in val_loader:
                out = model(inputs)
                loss = criterion(out, labels)
                hand.saw("val", loss.item(), len(inputs), correct=(out.argmax(1) == labels).sum())
        hand.end("val", epoch)
    return model, optimizer
