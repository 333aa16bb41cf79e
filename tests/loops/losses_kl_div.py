"""kl_div against soft targets: no class is right or wrong."""

from __future__ import annotations

import torch
from torch import nn, optim
from torch.nn.functional import kl_div
from torch.utils.data import DataLoader, TensorDataset

ABSENT = {"Accuracy/train", "Accuracy/val"}


def loop(hand):
    torch.manual_seed(110)
    x = torch.randn(22, 4)
    y = torch.softmax(x @ torch.randn(4, 3), dim=1)
    train_data = TensorDataset(x[:16], y[:16])
    val_data = TensorDataset(x[16:], y[16:])
    model = nn.Linear(4, 3)
    opt = optim.SGD(model.parameters(), lr=0.1, momentum=0.9)
    n = 0
    for epoch in range(1, 4):
        for x, y in DataLoader(train_data, batch_size=6, shuffle=True):
            opt.zero_grad()
            out = model(x).log_softmax(dim=1)
            loss = kl_div(out, y, reduction="batchmean")
            loss.backward()
            hand.step(n, loss.item(), opt)
            hand.saw("train", loss.item(), x.size(0))
            opt.step()
            n += 1
        hand.end("train", epoch)

        model.eval()
        with torch.inference_mode():
            for x, y in DataLoader(val_data, batch_size=4):
                out = model(x).log_softmax(dim=1)
                loss = kl_div(out, y, reduction="batchmean")
                hand.saw("val", loss.item(), x.size(0))
        model.train()
        hand.end("val", epoch)
    return model, opt
