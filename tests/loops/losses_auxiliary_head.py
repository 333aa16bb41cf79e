"""A main and an auxiliary classifier: which of the two is *the* accuracy only their author knows."""

from __future__ import annotations

import torch
import torch.nn as nn
from torch.utils.data import DataLoader, TensorDataset

MISSING = {"Accuracy/train": "two classifications feed the loss, neither is marked as the main one"}


class WithAuxiliary(nn.Module):
    def __init__(self):
        super().__init__()
        self.first = nn.Linear(5, 8)
        self.aux = nn.Linear(8, 3)
        self.main = nn.Sequential(nn.Linear(8, 8), nn.ReLU(), nn.Linear(8, 3))

    def forward(self, x):
        h = self.first(x).relu()
        return self.main(h), self.aux(h)


def loop(hand):
    torch.manual_seed(33)
    x = torch.randn(22, 5)
    y = (x @ torch.randn(5, 3)).argmax(1)
    loader = DataLoader(TensorDataset(x, y), batch_size=8, shuffle=True)
    model = WithAuxiliary()
    criterion = nn.CrossEntropyLoss()
    optimizer = torch.optim.SGD(model.parameters(), lr=0.1)
    step = 0
    for epoch in range(3):
        for inputs, labels in loader:
            outputs, aux_outputs = model(inputs)
            loss1 = criterion(outputs, labels)
            loss2 = criterion(aux_outputs, labels)
            loss = loss1 + 0.4 * loss2
            optimizer.zero_grad()
            loss.backward()
            hand.step(step, loss.item(), optimizer)
            hand.add("Loss/train/cross_entropy", step, loss1.item())
            hand.add("Loss/train/cross_entropy_2", step, loss2.item())
            hits = (outputs.argmax(1) == labels).sum()
            hand.saw("train", loss.item(), len(inputs), correct=hits)
            optimizer.step()
            step += 1
        hand.end("train", epoch)
    return model, optimizer
