"""Handwritten digits with a small network: the second classic, tracked from outside.

`train` is the loop as people write it: batches, a test after every epoch, one print. No writer,
no sums kept for it, no `add_scalar`; one line around the call does it.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

import torch
from _torchvision import datasets, transforms
from torch import nn
from torch.utils.data import DataLoader, Subset

import autotrack

if TYPE_CHECKING:
    from pathlib import Path

    from torch import Tensor

    from autotrack.reports import Report

    Batches = DataLoader[tuple[Tensor, Tensor]]


def make_model() -> nn.Module:
    """28 x 28 pixels, 128 hidden units, 10 digits."""
    return nn.Sequential(
        nn.Flatten(),
        nn.Linear(28 * 28, 128),
        nn.ReLU(),
        nn.Linear(128, 10),
    )


def make_loader(root: str | Path, *, train: bool, samples: int = 1000) -> Batches:
    """The first digits of MNIST in batches of 64, shuffled for training."""
    digits = datasets.MNIST(root, train=train, download=True, transform=transforms.ToTensor())
    return DataLoader(Subset(digits, range(samples)), batch_size=64, shuffle=train)


def evaluate(model: nn.Module, test_loader: Batches, criterion: nn.Module) -> tuple[float, float]:
    """Mean loss over the test digits, and the share of them read correctly in percent."""
    total_loss = 0.0
    correct = total = 0
    model.eval()
    with torch.no_grad():
        for images, labels in test_loader:
            outputs = model(images)
            total_loss += criterion(outputs, labels).item() * len(labels)
            correct += int((outputs.argmax(dim=1) == labels).sum())
            total += len(labels)
    model.train()
    return total_loss / total, 100 * correct / total


def train(
    model: nn.Module, train_loader: Batches, test_loader: Batches | None = None, epochs: int = 5
) -> None:
    """Train, and test after every epoch when there is something to test with."""
    criterion = nn.CrossEntropyLoss()
    optimizer = torch.optim.Adam(model.parameters(), lr=1e-3)

    for epoch in range(epochs):
        for images, labels in train_loader:
            optimizer.zero_grad()
            outputs = model(images)
            loss = criterion(outputs, labels)
            loss.backward()
            optimizer.step()

        if test_loader is not None:
            test_loss, accuracy = evaluate(model, test_loader, criterion)
            print(
                f"epoch {epoch + 1}/{epochs}  test loss {test_loss:.3f}  accuracy {accuracy:.1f} %"
            )


def main(root: str | Path = "data", logdir: str | Path | None = None) -> Report:
    """Train and draw; MNIST is kept in `root`, the record and the figures go to `logdir`."""
    torch.manual_seed(0)
    model = make_model()
    train_loader = make_loader(root, train=True)
    test_loader = make_loader(root, train=False)

    with autotrack.tracking(model, logdir=logdir):
        train(model, train_loader, test_loader)

    return autotrack.report()


if __name__ == "__main__":
    print(main())
