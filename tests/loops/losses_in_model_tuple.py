"""forward(x, targets) returns (logits, loss), the loss function imported by name in its module."""

from __future__ import annotations

import torch
from torch import nn
from torch.nn.functional import cross_entropy
from torch.utils.data import DataLoader, TensorDataset


class Net(nn.Module):
    def __init__(self):
        super().__init__()
        self.layers = nn.Sequential(nn.Linear(4, 12), nn.GELU(), nn.Linear(12, 3))

    def forward(self, x, targets=None):
        logits = self.layers(x)
        loss = cross_entropy(logits, targets) if targets is not None else None
        return logits, loss


def loop(hand):
    torch.manual_seed(31)
    x = torch.randn(26, 4)
    y = (x @ torch.randn(4, 3)).argmax(1)
    train_dl = DataLoader(TensorDataset(x[:18], y[:18]), batch_size=7, shuffle=True)
    test_dl = DataLoader(TensorDataset(x[18:], y[18:]), batch_size=5)
    model = Net()
    opt = torch.optim.Adam(model.parameters(), lr=0.03)
    it = 0
    for epoch in range(3):
        for xb, yb in train_dl:
            logits, loss = model(xb, yb)
            opt.zero_grad(set_to_none=True)
            loss.backward()
            hand.step(it, loss.item(), opt)
            hand.saw("train", loss.item(), len(xb), correct=(logits.argmax(1) == yb).sum())
            opt.step()
            it += 1
        hand.end("train", epoch)
        model.eval()
        with torch.no_grad():
            for xb, yb in test_dl:
                logits, loss = model(xb, yb)
                hand.saw("test", loss.item(), len(xb), correct=(logits.argmax(1) == yb).sum())
        hand.end("test", epoch)
        model.train()
    return model, opt
