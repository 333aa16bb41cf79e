"""A mixture of experts: cross entropy plus a balance of the load that the model keeps by itself."""

from __future__ import annotations

import torch
import torch.nn.functional as F
from torch import nn
from torch.utils.data import DataLoader, TensorDataset

ABSENT = {"Loss/val"}


class Experts(nn.Module):
    def __init__(self):
        super().__init__()
        self.gate = nn.Linear(5, 3)
        self.experts = nn.ModuleList(nn.Linear(5, 4) for _ in range(3))

    def forward(self, x):
        share = self.gate(x).softmax(1)
        chosen = F.one_hot(share.argmax(1), 3).float()
        self.balance = 3 * (share.mean(0) * chosen.mean(0)).sum()
        return sum(share[:, i, None] * expert(x) for i, expert in enumerate(self.experts))


def loop(hand):
    torch.manual_seed(304)
    x = torch.randn(33, 5)
    y = (x @ torch.randn(5, 4)).argmax(1)
    train_loader = DataLoader(TensorDataset(x[:22], y[:22]), batch_size=8, shuffle=True)
    val_loader = DataLoader(TensorDataset(x[22:], y[22:]), batch_size=6)
    model = Experts()
    optimizer = torch.optim.AdamW(model.parameters(), lr=0.02)
    step = 0
    for epoch in range(3):
        model.train()
        for inputs, labels in train_loader:
            outputs = model(inputs)
            loss = F.cross_entropy(outputs, labels) + 0.01 * model.balance
            optimizer.zero_grad()
            loss.backward()
            hand.step(step, loss.item(), optimizer)
            hand.saw("train", loss.item(), len(inputs), correct=(outputs.argmax(1) == labels).sum())
            optimizer.step()
            step += 1
        hand.end("train", epoch)
        model.eval()
        total = 0.0
        with torch.no_grad():
            for inputs, labels in val_loader:
                outputs = model(inputs)
                total += F.cross_entropy(outputs, labels, reduction="sum").item()
                hand.saw("val", None, len(labels), correct=(outputs.argmax(1) == labels).sum())
        hand.end("val", epoch, loss=False)
        hand.add("Loss/val/cross_entropy", epoch, total / 11)
    return model, optimizer
