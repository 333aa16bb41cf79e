"""Co-teaching: two networks, each trained on the samples that the other one finds easy."""

from __future__ import annotations

import torch
import torch.nn.functional as F
from torch import nn
from torch.utils.data import DataLoader, TensorDataset


def loop(hand):
    torch.manual_seed(310)
    x = torch.randn(24, 4)
    y = (x @ torch.randn(4, 3)).argmax(1)
    y[::5] = (y[::5] + 1) % 3
    loader = DataLoader(TensorDataset(x, y), batch_size=10, shuffle=True)
    net1, net2 = nn.Linear(4, 3), nn.Linear(4, 3)
    optimizer1 = torch.optim.SGD(net1.parameters(), lr=0.2)
    optimizer2 = torch.optim.SGD(net2.parameters(), lr=0.2)
    step = 0
    for epoch in range(3):
        for inputs, labels in loader:
            out1, out2 = net1(inputs), net2(inputs)
            keep = int(0.7 * len(labels))
            easy1 = F.cross_entropy(out1, labels, reduction="none").argsort()[:keep]
            easy2 = F.cross_entropy(out2, labels, reduction="none").argsort()[:keep]
            loss1 = F.cross_entropy(out1[easy2], labels[easy2])
            loss2 = F.cross_entropy(out2[easy1], labels[easy1])
            for name, opt, loss, out, easy in (
                ("optimizer1", optimizer1, loss1, out1, easy2),
                ("optimizer2", optimizer2, loss2, out2, easy1),
            ):
                opt.zero_grad()
                loss.backward()
                hand.step(step, loss.item(), opt, name)
                hits = (out[easy].argmax(1) == labels[easy]).sum()
                hand.saw("train", loss.item(), keep, name, correct=hits)
                opt.step()
            step += 1
        hand.end("train", epoch, "optimizer1")
        hand.end("train", epoch, "optimizer2")
    return net1, net2, optimizer1, optimizer2
