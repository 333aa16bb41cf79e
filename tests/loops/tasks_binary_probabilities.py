"""Binary: the sigmoid is in the model, F.binary_cross_entropy sees probabilities, threshold one half."""

from __future__ import annotations

import torch
import torch.nn.functional as F
from torch import nn


class LogisticRegression(nn.Module):
    def __init__(self, features):
        super().__init__()
        self.linear = nn.Linear(features, 1)

    def forward(self, x):
        return torch.sigmoid(self.linear(x)).view(-1)


def loop(hand):
    torch.manual_seed(42)
    x_train, x_test = torch.randn(20, 3), torch.randn(9, 3)
    rule = torch.tensor([1.0, -2.0, 0.5])
    y_train, y_test = (x_train @ rule > 0).float(), (x_test @ rule > 0).float()
    model = LogisticRegression(3)
    optimizer = torch.optim.Adam(model.parameters(), lr=0.1)
    for epoch in range(6):
        y_pred = model(x_train)
        loss = F.binary_cross_entropy(y_pred, y_train)
        optimizer.zero_grad()
        loss.backward()
        hand.step(epoch, loss.item(), optimizer)
        hand.saw("train", loss.item(), 20, correct=(y_pred.round() == y_train).sum())
        hand.end("train", epoch)
        optimizer.step()
        with torch.no_grad():
            test_pred = model(x_test)
            test_loss = F.binary_cross_entropy(test_pred, y_test)
            hand.saw("test", test_loss.item(), 9, correct=(test_pred.round() == y_test).sum())
            hand.end("test", epoch)
    return model, optimizer
