"""A criterion of its own for validation, summed and divided by the size of the data set."""

from __future__ import annotations

import torch
from torch import nn
from torch.utils.data import DataLoader, TensorDataset


class Trainer:
    def __init__(self, hand):
        x = torch.randn(27, 4)
        y = (x @ torch.randn(4, 3)).argmax(1)
        self.hand = hand
        self.train_loader = DataLoader(TensorDataset(x[:16], y[:16]), batch_size=6, shuffle=True)
        self.valid_loader = DataLoader(TensorDataset(x[16:], y[16:]), batch_size=5)
        self.model = nn.Linear(4, 3)
        self.criterion = nn.CrossEntropyLoss()
        self.optimizer = torch.optim.SGD(self.model.parameters(), lr=0.3)
        self.step = 0

    def fit(self, epochs):
        for epoch in range(epochs):
            self.model.train()
            for inputs, labels in self.train_loader:
                outputs = self.model(inputs)
                loss = self.criterion(outputs, labels)
                self.optimizer.zero_grad()
                loss.backward()
                self.hand.step(self.step, loss.item(), self.optimizer)
                hits = (outputs.argmax(1) == labels).sum()
                self.hand.saw("train", loss.item(), len(labels), correct=hits)
                self.optimizer.step()
                self.step += 1
            self.hand.end("train", epoch)
            self.validate(epoch)

    @torch.inference_mode()
    def validate(self, epoch):
        self.model.eval()
        criterion = nn.CrossEntropyLoss(reduction="sum")
        loss, correct = 0.0, 0
        for inputs, labels in self.valid_loader:
            outputs = self.model(inputs)
            loss += criterion(outputs, labels).item()
            correct += int((outputs.argmax(1) == labels).sum())
        self.hand.add("Loss/val", epoch, loss / len(self.valid_loader.dataset))
        self.hand.add("Accuracy/val", epoch, 100 * correct / len(self.valid_loader.dataset))


def loop(hand):
    torch.manual_seed(82)
    trainer = Trainer(hand)
    trainer.fit(epochs=3)
    return trainer.model, trainer.optimizer
