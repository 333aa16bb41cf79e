"""A Trainer class: fit() counts the epochs, run_epoch() runs the loader, step() makes the step."""

from __future__ import annotations

import torch
from torch import nn
from torch.utils.data import DataLoader, TensorDataset


class Trainer:
    def __init__(self, hand, model, optimizer, criterion):
        self.hand, self.model = hand, model
        self.optimizer, self.criterion = optimizer, criterion
        self.global_step = 0

    def fit(self, loader, max_epochs):
        for epoch in range(max_epochs):
            self.run_epoch(loader)
            self.hand.end("train", epoch)

    def run_epoch(self, loader):
        self.model.train()
        for batch in loader:
            self.step(*batch)

    def step(self, x, y):
        self.optimizer.zero_grad()
        prediction = self.model(x)
        loss = self.criterion(prediction, y)
        loss.backward()
        self.hand.step(self.global_step, loss.item(), self.optimizer)
        self.hand.saw("train", loss.item(), len(x), correct=(prediction.argmax(1) == y).sum())
        self.optimizer.step()
        self.global_step += 1


def loop(hand):
    torch.manual_seed(95)
    x, y = torch.randn(14, 3), torch.randint(0, 2, (14,))
    loader = DataLoader(TensorDataset(x, y), batch_size=5, shuffle=True)
    model = nn.Linear(3, 2)
    optimizer = torch.optim.SGD(model.parameters(), lr=0.2)
    Trainer(hand, model, optimizer, nn.CrossEntropyLoss()).fit(loader, max_epochs=3)
    return model, optimizer
