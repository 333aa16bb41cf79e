"""What tracking costs: whole loops, untracked, logged by hand and tracked, in turn (`make bench`).

Absolute times depend on the machine and drift; the ratios are what to look at. Each row of a table
is a median over rounds; in a round the three kinds run one after another, and a ratio compares
times of the same round.
"""

from __future__ import annotations

import statistics
import tempfile
import time
from collections.abc import Callable, Iterator
from contextlib import AbstractContextManager, contextmanager, nullcontext
from dataclasses import dataclass
from pathlib import Path

import torch
from rich.console import Console
from rich.table import Table
from torch import nn
from torch.utils.data import DataLoader, TensorDataset
from torch.utils.tensorboard import SummaryWriter

import autotrack

ROUNDS = 9

Log = Callable[[str, float, int], None]
Loop = Callable[[Log | None], int]


def linear_regression(log: Log | None) -> int:
    """The smallest step there is: nothing else makes a tracker look as expensive."""
    x = torch.randn(100, 1)
    y = 3 * x + 2
    model = nn.Linear(1, 1)
    criterion = nn.MSELoss()
    optimizer = torch.optim.SGD(model.parameters(), lr=0.01)
    for epoch in range(2000):
        loss = criterion(model(x), y)
        optimizer.zero_grad()
        loss.backward()
        optimizer.step()
        if log is not None:
            log("Loss/train", loss.item(), epoch)
    return 2000


def digits(log: Log | None) -> int:
    """The network of the MNIST tutorial, 784-128-10 with Adam, batches of 64."""
    data = TensorDataset(torch.rand(1024, 784), torch.randint(10, (1024,)))
    loader = DataLoader(data, batch_size=64, shuffle=True)
    model = nn.Sequential(nn.Linear(784, 128), nn.ReLU(), nn.Linear(128, 10))
    criterion = nn.CrossEntropyLoss()
    optimizer = torch.optim.Adam(model.parameters(), lr=1e-3)
    step = 0
    for epoch in range(25):
        correct = total = 0
        for images, labels in loader:
            outputs = model(images)
            loss = criterion(outputs, labels)
            optimizer.zero_grad()
            loss.backward()
            optimizer.step()
            if log is not None:
                log("Loss/train", loss.item(), step)
                correct += int((outputs.argmax(1) == labels).sum())
                total += len(labels)
            step += 1
        if log is not None:
            log("Accuracy/train", 100 * correct / total, epoch)
    return step


@dataclass
class Kind:
    """One way to run a loop: what stands around it, and what it logs by itself."""

    name: str
    around: Callable[[Path], AbstractContextManager[Log | None]]


@contextmanager
def by_hand(directory: Path) -> Iterator[Log]:
    """The tutorials' own lines: a SummaryWriter, loss each step, accuracy each epoch."""
    with SummaryWriter(directory) as writer:
        yield writer.add_scalar


@contextmanager
def tracked(directory: Path) -> Iterator[None]:
    """Autotrack with its default settings."""
    with autotrack.tracking(logdir=directory):
        yield


KINDS = [
    Kind("untracked", lambda _: nullcontext()),
    Kind("by hand: loss and accuracy", by_hand),
    Kind("autotrack: everything", tracked),
]


def microseconds_a_step(loop: Loop, kind: Kind, directory: Path) -> float:
    """Time one whole loop, with what stands around it."""
    torch.manual_seed(0)
    began = time.perf_counter()
    with kind.around(directory) as log:
        steps = loop(log)
    return 1e6 * (time.perf_counter() - began) / steps


def measure(loop: Loop, folder: Path) -> list[list[float]]:
    """Microseconds a step, [rounds][kinds]; the first round warms up and is dropped."""
    rounds = [
        [
            microseconds_a_step(loop, kind, folder / f"{loop.__name__}-{turn}-{number}")
            for number, kind in enumerate(KINDS)
        ]
        for turn in range(ROUNDS + 1)
    ]
    return rounds[1:]


def table_of(loop: Loop, rounds: list[list[float]]) -> Table:
    """Median time and, against the untracked loop of the same round, median ratio and quartiles."""
    table = Table("", "us a step", "ratio", "quartiles", title=loop.__name__)
    for number, kind in enumerate(KINDS):
        times = [times[number] for times in rounds]
        low, middle, high = statistics.quantiles([t[number] / t[0] for t in rounds], n=4)
        table.add_row(
            kind.name, f"{statistics.median(times):.0f}", f"{middle:.2f}", f"{low:.2f} - {high:.2f}"
        )
    return table


def main() -> None:
    """Measure both tutorials and print a table for each."""
    # one thread, and no slow arithmetic on the vanishing moments of dead units
    torch.set_num_threads(1)
    torch.set_flush_denormal(True)
    with tempfile.TemporaryDirectory() as folder:
        for loop in (linear_regression, digits):
            Console().print(table_of(loop, measure(loop, Path(folder))))


if __name__ == "__main__":
    main()
