"""A criterion module masks padding by hand: its value is the loss, which tokens count it only knows."""

from __future__ import annotations

import torch
import torch.nn.functional as F
from torch import nn
from torch.utils.data import DataLoader, TensorDataset

ABSENT = {"Accuracy/train", "Accuracy/val"}


class MaskedLoss(nn.Module):
    def forward(self, scores, labels):
        losses = F.cross_entropy(scores.flatten(0, 1), labels.clamp(min=0).flatten(), reduction="none")
        keep = (labels >= 0).flatten()
        return losses[keep].mean()


def loop(hand):
    torch.manual_seed(326)
    x, y = torch.randn(20, 5, 4), torch.randint(0, 3, (20, 5))
    y[torch.rand(20, 5) < 0.3] = -1
    train_loader = DataLoader(TensorDataset(x[:13], y[:13]), batch_size=5)
    val_loader = DataLoader(TensorDataset(x[13:], y[13:]), batch_size=4)
    model = nn.Linear(4, 3)
    criterion = MaskedLoss()
    optimizer = torch.optim.SGD(model.parameters(), lr=0.3)
    step = 0
    for epoch in range(3):
        model.train()
        for inputs, labels in train_loader:
            loss = criterion(model(inputs), labels)
            optimizer.zero_grad()
            loss.backward()
            hand.step(step, loss.item(), optimizer)
            hand.saw("train", loss.item(), len(labels))
            optimizer.step()
            step += 1
        hand.end("train", epoch)
        model.eval()
        with torch.no_grad():
            for inputs, labels in val_loader:
                hand.saw("val", criterion(model(inputs), labels).item(), len(labels))
        hand.end("val", epoch)
    return model, optimizer
