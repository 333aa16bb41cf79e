"""iter(loader) at the start of the epoch, next() for every batch; the last batch is never taken."""

from __future__ import annotations

import torch
from torch import nn
from torch.utils.data import DataLoader, TensorDataset


def loop(hand):
    torch.manual_seed(101)
    x, y = torch.randn(14, 3), torch.randint(0, 2, (14,))
    train_loader = DataLoader(TensorDataset(x, y), batch_size=4, shuffle=True)
    net = nn.Linear(3, 2)
    criterion = nn.CrossEntropyLoss()
    opt = torch.optim.SGD(net.parameters(), lr=0.2)
    step = 0
    for epoch in range(3):
        data_iter = iter(train_loader)
        i = 0
        while i < len(train_loader) - 1:
            images, labels = next(data_iter)
            i += 1
            scores = net(images)
            loss = criterion(scores, labels)
            opt.zero_grad()
            loss.backward()
            hand.step(step, loss.item(), opt)
            hits = (scores.argmax(1) == labels).sum()
            hand.saw("train", loss.item(), len(images), correct=hits)
            opt.step()
            step += 1
        hand.end("train", epoch)
    return net, opt
