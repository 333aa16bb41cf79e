"""A straight line through 100 points: the smallest training loop there is, tracked from outside.

`train` is the plain loop. Nothing in it knows about autotrack; one line around the call does it.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

import torch
from torch import nn

import autotrack

if TYPE_CHECKING:
    from pathlib import Path

    from torch import Tensor

    from autotrack.reports import Report


def make_data(samples: int = 100) -> tuple[Tensor, Tensor]:
    """Points on the line y = 3x + 2 with a little noise; both tensors are [samples, 1]."""
    x = torch.randn(samples, 1)
    y = 3 * x + 2 + 0.1 * torch.randn(samples, 1)
    return x, y


def train(model: nn.Module, x: Tensor, y: Tensor, epochs: int = 100) -> None:
    """Fit the model to the points, all of them in every step."""
    criterion = nn.MSELoss()
    optimizer = torch.optim.SGD(model.parameters(), lr=0.01)

    for epoch in range(epochs):
        prediction = model(x)
        loss = criterion(prediction, y)

        optimizer.zero_grad()
        loss.backward()
        optimizer.step()

        if (epoch + 1) % 20 == 0:
            print(f"epoch {epoch + 1:3d}  loss {loss.item():.4f}")


def main(logdir: str | Path | None = None) -> Report:
    """Train and draw; the record and the figures go to `logdir`."""
    torch.manual_seed(0)
    x, y = make_data()
    model = nn.Linear(1, 1)

    with autotrack.tracking(logdir=logdir):
        train(model, x, y)

    return autotrack.report()


if __name__ == "__main__":
    print(main())
