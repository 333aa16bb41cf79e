"""zero_grad and backward in a lambda: the step has no statement of its own."""

from __future__ import annotations

import torch
from torch import nn
from torch.utils.data import DataLoader, TensorDataset


def loop(hand):
    torch.manual_seed(97)
    x = torch.randn(14, 3)
    y = x.sum(1, keepdim=True)
    loader = DataLoader(TensorDataset(x, y), batch_size=5, shuffle=True)
    model = nn.Linear(3, 1)
    mse = nn.MSELoss()
    optimizer = torch.optim.SGD(model.parameters(), lr=0.1)
    steps = iter(range(100))
    note = lambda loss, out, target: (  # noqa: E731
        hand.step(next(steps), loss.item(), optimizer),
        hand.saw("train", loss.item(), len(target), output=out, target=target),
    )
    learn = lambda loss: (optimizer.zero_grad(), loss.backward())  # noqa: E731
    for epoch in range(3):
        for xb, yb in loader:
            out = model(xb)
            loss = mse(out, yb)
            learn(loss)
            note(loss, out, yb)
            optimizer.step()
        hand.end("train", epoch)
    return model, optimizer
