"""Real handwritten digits without a download: `make demo`.

The 1,797 digits of 8 x 8 pixels that come with scikit-learn, a small network, and a validation set.
`train` is the plain loop; the decorator above it is all there is of autotrack.
"""

from __future__ import annotations

import os
import sys
from pathlib import Path
from typing import TYPE_CHECKING

import torch
from sklearn.datasets import load_digits
from sklearn.model_selection import train_test_split
from torch import nn
from torch.utils.data import DataLoader, TensorDataset

import autotrack

if TYPE_CHECKING:
    from torch import Tensor

    from autotrack.reports import Report

    Batches = DataLoader[tuple[Tensor, ...]]


def make_model() -> nn.Module:
    """8 x 8 pixels, 128 hidden units, 10 digits."""
    return nn.Sequential(nn.Linear(8 * 8, 128), nn.ReLU(), nn.Linear(128, 10))


def make_loaders() -> tuple[Batches, Batches]:
    """Batches of 64 to train on, and a fifth of the digits to validate with."""
    digits = load_digits()
    images = torch.tensor(digits.data, dtype=torch.float32) / 16
    labels = torch.tensor(digits.target)
    rows_train, rows_val = train_test_split(
        range(len(labels)), test_size=0.2, random_state=0, stratify=digits.target
    )
    train_set = TensorDataset(images[rows_train], labels[rows_train])
    val_set = TensorDataset(images[rows_val], labels[rows_val])
    return DataLoader(train_set, batch_size=64, shuffle=True), DataLoader(val_set, batch_size=256)


def evaluate(model: nn.Module, val_loader: Batches, criterion: nn.Module) -> tuple[float, float]:
    """Mean loss over the validation digits, and the share of them read correctly in percent."""
    total_loss = 0.0
    correct = total = 0
    model.eval()
    with torch.no_grad():
        for images, labels in val_loader:
            outputs = model(images)
            total_loss += criterion(outputs, labels).item() * len(labels)
            correct += int((outputs.argmax(dim=1) == labels).sum())
            total += len(labels)
    model.train()
    return total_loss / total, 100 * correct / total


@autotrack.track(logdir="runs/digits")
def train(model: nn.Module, train_loader: Batches, val_loader: Batches, epochs: int = 20) -> None:
    """Train, and validate after every epoch."""
    criterion = nn.CrossEntropyLoss()
    optimizer = torch.optim.Adam(model.parameters(), lr=1e-3)

    for epoch in range(epochs):
        for images, labels in train_loader:
            optimizer.zero_grad()
            loss = criterion(model(images), labels)
            loss.backward()
            optimizer.step()

        val_loss, accuracy = evaluate(model, val_loader, criterion)
        print(f"epoch {epoch + 1:2d}  validation loss {val_loss:.3f}  accuracy {accuracy:.1f} %")


def main(epochs: int = 20) -> Report:
    """Train and draw; the record goes to `runs/digits`, the figures to a folder in it."""
    torch.manual_seed(0)
    train_loader, val_loader = make_loaders()
    train(make_model(), train_loader, val_loader, epochs)
    return autotrack.report()


def say_where(report: Report) -> None:
    """Print where the record and the figures are, and how to open them."""
    record = report.directory.parent
    tensorboard = Path(sys.executable).with_name("tensorboard")
    print(f"\nThe record is in {record}. To open it in TensorBoard:\n")
    print(f"    {os.path.relpath(tensorboard)} --logdir {record.parent}\n")
    print("The figures, to open with anything that shows pictures; the first sums up the others:\n")
    for path in report.paths:
        print(f"    {path}")


if __name__ == "__main__":
    say_where(main())
