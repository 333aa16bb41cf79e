"""`testloader`, `xval`: two words in one, as many tutorials write them."""

from __future__ import annotations

import torch
from torch import nn
from torch.utils.data import DataLoader, TensorDataset

ABSENT = {"Loss/test"}


def loop(hand):
    torch.manual_seed(145)
    x = torch.randn(40, 4)
    y = (x @ torch.randn(4, 3)).argmax(1)
    xval, yval = x[32:], y[32:]
    trainloader = DataLoader(TensorDataset(x[:20], y[:20]), batch_size=5)
    testloader = DataLoader(TensorDataset(x[20:32], y[20:32]), batch_size=5)
    net = nn.Linear(4, 3)
    criterion = nn.CrossEntropyLoss()
    optimizer = torch.optim.SGD(net.parameters(), lr=0.3)
    step = 0
    for epoch in range(3):
        for inputs, labels in trainloader:
            outputs = net(inputs)
            loss = criterion(outputs, labels)
            optimizer.zero_grad()
            loss.backward()
            hand.step(step, loss.item(), optimizer)
            hand.saw("train", loss.item(), 5, correct=(outputs.argmax(1) == labels).sum())
            optimizer.step()
            step += 1
        hand.end("train", epoch)
        with torch.no_grad():
            outputs = net(xval)
            loss = criterion(outputs, yval)
            hand.saw("val", loss.item(), 8, correct=(outputs.argmax(1) == yval).sum())
            right = 0
            for inputs, labels in testloader:
                right += (net(inputs).argmax(1) == labels).sum().item()
        hand.end("val", epoch)
        hand.add("Accuracy/test", epoch, 100 * right / 12, rtol=1e-7)
    return net, optimizer
