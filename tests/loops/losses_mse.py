"""mse_loss imported by its name, for training and for validation."""

from __future__ import annotations

import torch
from torch import nn, optim
from torch.nn.functional import mse_loss
from torch.utils.data import DataLoader, TensorDataset


def loop(hand):
    torch.manual_seed(101)
    x = torch.randn(22, 4)
    y = torch.tanh(x @ torch.randn(4, 3)) + 0.1 * torch.randn(22, 3)
    train_data = TensorDataset(x[:16], y[:16])
    val_data = TensorDataset(x[16:], y[16:])
    model = nn.Linear(4, 3)
    opt = optim.SGD(model.parameters(), lr=0.1, momentum=0.9)
    n = 0
    for epoch in range(1, 4):
        for x, y in DataLoader(train_data, batch_size=6, shuffle=True):
            opt.zero_grad()
            out = model(x)
            loss = mse_loss(out, y)
            loss.backward()
            hand.step(n, loss.item(), opt)
            hand.saw("train", loss.item(), x.size(0), output=out, target=y)
            opt.step()
            n += 1
        hand.end("train", epoch)

        model.eval()
        with torch.inference_mode():
            for x, y in DataLoader(val_data, batch_size=4):
                out = model(x)
                loss = mse_loss(out, y)
                hand.saw("val", loss.item(), x.size(0), output=out, target=y)
        model.train()
        hand.end("val", epoch)
    return model, opt
