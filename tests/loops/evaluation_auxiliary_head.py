"""Trained with an auxiliary classifier, which `eval()` leaves out, as GoogLeNet has it.

Which of two accuracies counts in training nothing says; the one output of an evaluation is plain.
"""

from __future__ import annotations

import torch
from torch import nn
from torch.utils.data import DataLoader, TensorDataset

MISSING = {"Accuracy/train": "two classifications feed the loss, neither is marked as the main one"}


class WithAuxiliary(nn.Module):
    def __init__(self):
        super().__init__()
        self.first = nn.Linear(5, 8)
        self.aux, self.main = nn.Linear(8, 3), nn.Linear(8, 3)

    def forward(self, x):
        h = self.first(x).relu()
        return (self.main(h), self.aux(h)) if self.training else self.main(h)


def loop(hand):
    torch.manual_seed(195)
    x = torch.randn(40, 5)
    y = (x @ torch.randn(5, 3)).argmax(1)
    train_loader = DataLoader(TensorDataset(x[:24], y[:24]), batch_size=8, shuffle=True)
    validate_loader = DataLoader(TensorDataset(x[24:], y[24:]), batch_size=6)
    net = WithAuxiliary()
    loss_function = nn.CrossEntropyLoss()
    optimizer = torch.optim.SGD(net.parameters(), lr=0.1)
    step = 0
    for epoch in range(3):
        net.train()
        for images, labels in train_loader:
            optimizer.zero_grad()
            logits, aux_logits = net(images)
            loss0 = loss_function(logits, labels)
            loss1 = loss_function(aux_logits, labels)
            loss = loss0 + 0.3 * loss1
            loss.backward()
            hand.step(step, loss.item(), optimizer)
            hand.add("Loss/train/cross_entropy", step, loss0.item())
            hand.add("Loss/train/cross_entropy_2", step, loss1.item())
            hits = (logits.argmax(1) == labels).sum()
            hand.saw("train", loss.item(), len(images), correct=hits)
            optimizer.step()
            step += 1
        hand.end("train", epoch)
        net.eval()
        with torch.no_grad():
            for images, labels in validate_loader:
                outputs = net(images)
                predict_y = torch.max(outputs, dim=1)[1]
                hits = torch.eq(predict_y, labels).sum().item()
                hand.saw("val", None, len(images), correct=hits)
        hand.end("val", epoch, loss=False)
    return net, optimizer
