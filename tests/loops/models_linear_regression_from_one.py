"""Full batch with epochs counted from one, and the prediction drawn afterwards without gradients."""

from __future__ import annotations

import torch
import torch.nn as nn


def loop(hand):
    torch.manual_seed(121)
    x = torch.linspace(0, 1, 12)[:, None]
    y = 2 * x + 1 + 0.05 * torch.randn(12, 1)
    model = nn.Linear(1, 1)
    optimizer = torch.optim.SGD(model.parameters(), lr=0.1)
    for epoch in range(1, 11):
        y_hat = model(x)
        loss = nn.functional.mse_loss(y_hat, y)
        optimizer.zero_grad()
        loss.backward()
        hand.step(epoch - 1, loss.item(), optimizer)
        hand.saw("train", loss.item(), 12, output=y_hat, target=y)
        hand.end("train", epoch)
        optimizer.step()
    line = model(x).detach().numpy()
    assert line.shape == (12, 1)
    return model, optimizer
