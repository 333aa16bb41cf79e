"""while self.epoch < self.max_epochs, raised at the end of the body."""

from __future__ import annotations

import torch
from torch import nn
from torch.utils.data import DataLoader, TensorDataset


class Runner:
    def __init__(self, hand, start_epoch, max_epochs):
        x = torch.randn(14, 3)
        y = x.sum(1, keepdim=True)
        self.hand, self.epoch, self.max_epochs = hand, start_epoch, max_epochs
        self.data = DataLoader(TensorDataset(x, y), batch_size=5, shuffle=True)
        self.net = nn.Linear(3, 1)
        self.optim = torch.optim.SGD(self.net.parameters(), lr=0.1)
        self.n = 0

    def fit(self):
        while self.epoch < self.max_epochs:
            for x, y in self.data:
                prediction = self.net(x)
                loss = nn.functional.mse_loss(prediction, y)
                self.optim.zero_grad()
                loss.backward()
                self.hand.step(self.n, loss.item(), self.optim)
                self.hand.saw("train", loss.item(), len(x), output=prediction, target=y)
                self.optim.step()
                self.n += 1
            self.hand.end("train", self.epoch)
            self.epoch += 1


def loop(hand):
    torch.manual_seed(115)
    runner = Runner(hand, start_epoch=4, max_epochs=7)
    runner.fit()
    return runner.net, runner.optim
