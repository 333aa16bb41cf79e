"""gaussian_nll_loss imported by its name: PyTorch writes it in Python, nothing below it can be seen."""

from __future__ import annotations

import torch
from torch import nn, optim
from torch.nn.functional import gaussian_nll_loss
from torch.utils.data import DataLoader, TensorDataset

MISSING = {
    "Loss/val": "a Python function imported by name leaves no trace without gradients; criterion= says it"
}


def loop(hand):
    torch.manual_seed(133)
    x = torch.randn(22, 4)
    y = x.sum(1) + 0.1 * torch.randn(22)
    train_data = TensorDataset(x[:16], y[:16])
    val_data = TensorDataset(x[16:], y[16:])
    model = nn.Linear(4, 2)
    opt = optim.SGD(model.parameters(), lr=0.1, momentum=0.9)
    n = 0
    for epoch in range(1, 4):
        for x, y in DataLoader(train_data, batch_size=6, shuffle=True):
            opt.zero_grad()
            mean, log_variance = model(x).unbind(1)
            loss = gaussian_nll_loss(mean, y, log_variance.exp())
            loss.backward()
            hand.step(n, loss.item(), opt)
            hand.saw("train", loss.item(), x.size(0))
            opt.step()
            n += 1
        hand.end("train", epoch)

        model.eval()
        with torch.inference_mode():
            for x, y in DataLoader(val_data, batch_size=4):
                mean, log_variance = model(x).unbind(1)
                loss = gaussian_nll_loss(mean, y, log_variance.exp())
                hand.saw("val", loss.item(), x.size(0))
        model.train()
        hand.end("val", epoch)
    return model, opt
