"""The two-layer network of PyTorch's first examples: a summed error over the same batch again."""

from __future__ import annotations

import torch
from torch import nn


def loop(hand):
    torch.manual_seed(2)
    x, y = torch.randn(16, 20), torch.randn(16, 3)
    model = nn.Sequential(nn.Linear(20, 12), nn.ReLU(), nn.Linear(12, 3))
    loss_fn = nn.MSELoss(reduction="sum")
    optimizer = torch.optim.RMSprop(model.parameters(), lr=1e-3)
    for t in range(150):
        y_pred = model(x)
        loss = loss_fn(y_pred, y)
        optimizer.zero_grad()
        loss.backward()
        hand.step(t, loss.item(), optimizer)
        hand.saw("train", loss.item() / 16, 16, output=y_pred, target=y)
        optimizer.step()
        # Iterations are no epochs: a hundred of them are a pass.
        if t + 1 in (100, 150):
            hand.end("train", t + 1)
    return model, optimizer
