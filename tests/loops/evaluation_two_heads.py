"""Two heads in training and in validation, without a criterion there: which answers nothing says."""

from __future__ import annotations

import torch
from torch import nn
from torch.utils.data import DataLoader, TensorDataset

MISSING = {
    "Accuracy/train": "two classifications feed the loss, neither is marked as the main one",
    "Accuracy/val": "the same two stand beside each other",
}


class Heads(nn.Module):
    def __init__(self):
        super().__init__()
        self.body, self.main, self.aux = nn.Linear(5, 8), nn.Linear(8, 3), nn.Linear(8, 3)

    def forward(self, x):
        h = self.body(x).relu()
        return self.aux(h), self.main(h)


def loop(hand):
    torch.manual_seed(200)
    x = torch.randn(40, 5)
    y = (x @ torch.randn(5, 3)).argmax(1)
    train_loader = DataLoader(TensorDataset(x[:24], y[:24]), batch_size=8, shuffle=True)
    val_loader = DataLoader(TensorDataset(x[24:], y[24:]), batch_size=6)
    net, criterion = Heads(), nn.CrossEntropyLoss()
    optimizer = torch.optim.SGD(net.parameters(), lr=0.1)
    step = 0
    for epoch in range(3):
        for inputs, labels in train_loader:
            aux, main = net(inputs)
            loss0 = criterion(main, labels)
            loss1 = criterion(aux, labels)
            loss = loss0 + 0.3 * loss1
            optimizer.zero_grad()
            loss.backward()
            hand.step(step, loss.item(), optimizer)
            hand.add("Loss/train/cross_entropy", step, loss0.item())
            hand.add("Loss/train/cross_entropy_2", step, loss1.item())
            hits = (main.argmax(1) == labels).sum()
            hand.saw("train", loss.item(), len(inputs), correct=hits)
            optimizer.step()
            step += 1
        hand.end("train", epoch)
        with torch.no_grad():
            for inputs, labels in val_loader:
                hits = (net(inputs)[1].argmax(1) == labels).sum()
                hand.saw("val", None, len(inputs), correct=hits)
        hand.end("val", epoch, loss=False)
    return net, optimizer
