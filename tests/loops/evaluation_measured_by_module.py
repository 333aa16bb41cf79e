"""Modules without weights that measure: what they return is no loss, in training or in a test."""

from __future__ import annotations

import torch
from torch import nn
from torch.utils.data import DataLoader, TensorDataset


class Right(nn.Module):
    def forward(self, scores, labels):
        return (scores.argmax(1) == labels).float().mean()


class Distance(nn.Module):
    def forward(self, scores, labels):
        return (scores.softmax(1) - nn.functional.one_hot(labels, 3)).pow(2).mean()


class RunningMean(nn.Module):
    def __init__(self):
        super().__init__()
        self.total, self.count = 0.0, 0

    def forward(self, value):
        self.total, self.count = self.total + value.detach(), self.count + 1
        return self.total / self.count


def loop(hand):
    torch.manual_seed(198)
    x = torch.randn(36, 5)
    y = (x @ torch.randn(5, 3)).argmax(1)
    train_loader = DataLoader(TensorDataset(x[:24], y[:24]), batch_size=8, shuffle=True)
    test_loader = DataLoader(TensorDataset(x[24:], y[24:]), batch_size=6)
    model, loss_fn = nn.Linear(5, 3), nn.CrossEntropyLoss()
    right, distance, test_loss = Right(), Distance(), RunningMean()
    optimizer = torch.optim.SGD(model.parameters(), lr=0.2)
    step = 0
    for epoch in range(3):
        model.train()
        for inputs, labels in train_loader:
            scores = model(inputs)
            loss = loss_fn(scores, labels)
            right(scores, labels)
            optimizer.zero_grad()
            loss.backward()
            hand.step(step, loss.item(), optimizer)
            hits = (scores.argmax(1) == labels).sum()
            hand.saw("train", loss.item(), len(labels), correct=hits)
            optimizer.step()
            step += 1
        hand.end("train", epoch)
        model.eval()
        with torch.no_grad():
            for inputs, labels in test_loader:
                scores = model(inputs)
                loss = loss_fn(scores, labels)
                test_loss(loss)
                right(scores, labels)
                distance(scores, labels)
                hits = (scores.argmax(1) == labels).sum()
                hand.saw("test", loss.item(), len(labels), correct=hits)
        hand.end("test", epoch)
    return model, optimizer
