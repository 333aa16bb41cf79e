"""Validation on two tensors x_val and y_val, no loader anywhere."""

from __future__ import annotations

import torch
from torch import nn


def loop(hand):
    torch.manual_seed(74)
    x_train, x_val = torch.randn(20, 3), torch.randn(8, 3)
    weight = torch.tensor([[1.0], [2.0], [-1.0]])
    y_train, y_val = x_train @ weight + 0.1 * torch.randn(20, 1), x_val @ weight
    model = nn.Linear(3, 1)
    loss_fn = nn.MSELoss()
    optimizer = torch.optim.SGD(model.parameters(), lr=0.2)
    for epoch in range(8):
        model.train()
        y_hat = model(x_train)
        loss = loss_fn(y_hat, y_train)
        loss.backward()
        hand.step(epoch, loss.item(), optimizer)
        hand.saw("train", loss.item(), 20, output=y_hat, target=y_train)
        hand.end("train", epoch)
        optimizer.step()
        optimizer.zero_grad()

        model.eval()
        with torch.no_grad():
            val_hat = model(x_val)
            val_loss = loss_fn(val_hat, y_val)
        hand.saw("val", val_loss.item(), 8, output=val_hat, target=y_val)
        hand.end("val", epoch)
    return model, optimizer
