"""A part that is computed once a layer: the mean of its calls, in training as in validation."""

from __future__ import annotations

import torch
import torch.nn.functional as F
from torch import nn
from torch.utils.data import DataLoader, TensorDataset


def loop(hand):
    torch.manual_seed(330)
    x = torch.randn(34, 4)
    y = x @ torch.randn(4, 2)
    train_loader = DataLoader(TensorDataset(x[:20], y[:20]), batch_size=8)
    val_loader = DataLoader(TensorDataset(x[20:], y[20:]), batch_size=7)
    layers = nn.ModuleList([nn.Linear(4, 6), nn.Linear(6, 6), nn.Linear(6, 2)])
    optimizer = torch.optim.SGD(layers.parameters(), lr=0.1)

    def forward(inputs):
        inner = []
        for layer in layers[:-1]:
            inputs = layer(inputs).tanh()
            inner.append(inputs)
        return layers[-1](inputs), inner

    step = 0
    for epoch in range(3):
        for inputs, targets in train_loader:
            out, inner = forward(inputs)
            main = F.mse_loss(out, targets)
            aside = [F.smooth_l1_loss(h, torch.zeros_like(h)) for h in inner]
            loss = main + 0.1 * sum(aside)
            optimizer.zero_grad()
            loss.backward()
            hand.step(step, loss.item(), optimizer)
            hand.add("Loss/train/mse_loss", step, main.item())
            hand.mean("Loss/train/smooth_l1_loss", step, [one.item() for one in aside])
            hand.saw("train", loss.item(), len(inputs))
            optimizer.step()
            step += 1
        hand.end("train", epoch)
        with torch.no_grad():
            for inputs, targets in val_loader:
                out, inner = forward(inputs)
                aside = [F.smooth_l1_loss(h, torch.zeros_like(h)) for h in inner]
                F.mse_loss(out, targets)
                wrong = (out - targets).double().pow(2).mean().item()
                hand.saw("val", wrong, len(inputs), "mse_loss")
                each = [(h.double().pow(2) / 2).mean().item() for h in inner]
                hand.saw("val", sum(each) / 2, len(inputs), "smooth_l1_loss")
        hand.end("val", epoch, "mse_loss")
        hand.end("val", epoch, "smooth_l1_loss")
    return layers, optimizer
