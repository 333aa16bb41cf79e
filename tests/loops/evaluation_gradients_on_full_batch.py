"""Gradients on, eval mode, tensors instead of a loader: still an evaluation."""

from __future__ import annotations

import torch
from torch import nn


def loop(hand):
    torch.manual_seed(75)
    x, y = torch.randn(24, 4), torch.randint(0, 3, (24,))
    x_train, y_train, x_test, y_test = x[:16], y[:16], x[16:], y[16:]
    net = nn.Sequential(nn.Linear(4, 8), nn.Dropout(0.4), nn.Linear(8, 3))
    criterion = nn.CrossEntropyLoss()
    optimizer = torch.optim.Adam(net.parameters(), lr=0.02)
    for epoch in range(5):
        net.train()
        optimizer.zero_grad()
        output = net(x_train)
        loss = criterion(output, y_train)
        loss.backward()
        hand.step(epoch, loss.item(), optimizer)
        hand.saw("train", loss.item(), 16, correct=(output.argmax(1) == y_train).sum())
        hand.end("train", epoch)
        optimizer.step()

        net.eval()
        output = net(x_test)
        test_loss = criterion(output, y_test)
        hand.saw("test", test_loss.item(), 8, correct=(output.argmax(1) == y_test).sum())
        hand.end("test", epoch)
    return net, optimizer
