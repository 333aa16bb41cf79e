"""A polynomial fitted by full-batch steps: for i in range(n) counts steps, there are no epochs."""

from __future__ import annotations

import torch


def loop(hand):
    torch.manual_seed(103)
    x = torch.linspace(-3, 3, 50)
    y = torch.sin(x)
    xx = x.unsqueeze(-1).pow(torch.tensor([1, 2, 3]))
    model = torch.nn.Sequential(torch.nn.Linear(3, 1), torch.nn.Flatten(0, 1))
    loss_fn = torch.nn.MSELoss(reduction="sum")
    optimizer = torch.optim.RMSprop(model.parameters(), lr=1e-3)
    n = 100
    for i in range(n):
        y_pred = model(xx)
        loss = loss_fn(y_pred, y)
        optimizer.zero_grad()
        loss.backward()
        hand.step(i, loss.item(), optimizer)
        hand.saw("train", loss.item() / 50, 50, output=y_pred, target=y)
        optimizer.step()
    hand.end("train", n)
    return model, optimizer
