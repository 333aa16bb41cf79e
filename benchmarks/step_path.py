"""The step path in the loop: blocks of tracked and untracked steps in turn, in one process.

`python benchmarks/step_path.py [w5 w1 ...]` prints, for each workload, the time of an untracked
step, the ratio of tracked to untracked blocks (median and quartiles), autotrack's own time as it
states it itself, and how many Python functions a tracked step calls beyond an untracked one.
Hot micro-benchmarks of single functions mislead by factors: a training step empties the caches.
"""

from __future__ import annotations

import argparse
import statistics
import sys
import tempfile
import time
from collections.abc import Callable, Generator, Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import torch
from torch import nn
from torch.utils.data import DataLoader, TensorDataset

import autotrack
from autotrack import observers
from autotrack.context import active

#: A loop that goes on for ever and hands control back after every so many steps.
Loop = Callable[[int], Iterator[None]]


def linear_regression(steps: int) -> Iterator[None]:
    """W5: one weight, 100 samples, plain gradient descent on the whole batch."""
    x = torch.randn(100, 1)
    y = 3 * x + 2
    model = nn.Linear(1, 1)
    criterion = nn.MSELoss()
    optimizer = torch.optim.SGD(model.parameters(), lr=0.01)
    for epoch in range(1, sys.maxsize):
        loss = criterion(model(x), y)
        optimizer.zero_grad()
        loss.backward()
        optimizer.step()
        if epoch % steps == 0:
            yield


def mlp(steps: int) -> Iterator[None]:
    """W1: the MNIST tutorial's network, 784-128-10, Adam, batches of 64 from a loader."""
    data = TensorDataset(torch.rand(6400, 784), torch.randint(10, (6400,)))
    loader = DataLoader(data, batch_size=64, shuffle=True)
    model = nn.Sequential(nn.Linear(784, 128), nn.ReLU(), nn.Linear(128, 10))
    criterion = nn.CrossEntropyLoss()
    optimizer = torch.optim.Adam(model.parameters(), lr=1e-3)
    done = 0
    for _epoch in range(sys.maxsize):
        for images, labels in loader:
            loss = criterion(model(images), labels)
            optimizer.zero_grad()
            loss.backward()
            optimizer.step()
            done += 1
            if done % steps == 0:
                yield


def lenet(steps: int) -> Iterator[None]:
    """W2: LeNet on 28x28 pictures, batches of 64, Adam."""
    data = TensorDataset(torch.rand(1280, 1, 28, 28), torch.randint(10, (1280,)))
    loader = DataLoader(data, batch_size=64, shuffle=True)
    model = nn.Sequential(
        nn.Conv2d(1, 6, 5, padding=2),
        nn.ReLU(),
        nn.MaxPool2d(2),
        nn.Conv2d(6, 16, 5),
        nn.ReLU(),
        nn.MaxPool2d(2),
        nn.Flatten(),
        nn.Linear(400, 120),
        nn.ReLU(),
        nn.Linear(120, 84),
        nn.ReLU(),
        nn.Linear(84, 10),
    )
    criterion = nn.CrossEntropyLoss()
    optimizer = torch.optim.Adam(model.parameters(), lr=1e-3)
    done = 0
    for _epoch in range(sys.maxsize):
        for images, labels in loader:
            loss = criterion(model(images), labels)
            optimizer.zero_grad()
            loss.backward()
            optimizer.step()
            done += 1
            if done % steps == 0:
                yield


WARM_UP = 4

#: Loop and steps a block, by the name that the issue tracker and the tables use.
WORKLOADS: dict[str, tuple[Loop, int]] = {
    "w5": (linear_regression, 1000),
    "w1": (mlp, 100),
    "w2": (lenet, 20),
}


@dataclass
class Measured:
    """Microseconds a step of each block and, by block, the ratio to the untracked neighbour."""

    untracked: list[float]
    tracked: list[float]
    stated: float

    @property
    def ratios(self) -> list[float]:
        """Tracked over untracked, block by block."""
        return [t / u for t, u in zip(self.tracked, self.untracked, strict=True)]


def block(loop: Iterator[Any], steps: int) -> float:
    """Run the steps of one block; microseconds a step."""
    began = time.perf_counter()
    next(loop)
    return 1e6 * (time.perf_counter() - began) / steps


def tracked(
    loop: Loop, steps: int, directory: Path, options: dict[str, Any]
) -> Generator[Any, None, None]:
    """The same loop as a run of its own; hands the run back after every block."""

    @autotrack.track(logdir=directory, **options)
    def running() -> Generator[Any, None, None]:
        for _ in loop(steps):
            yield active()

    return running()


def measure(loop: Loop, steps: int, blocks: int, directory: Path, **options: Any) -> Measured:
    """Interleave blocks of an untracked and of a tracked loop; no hook is in place in the first.

    The first blocks of both warm up: sites are read, and the first snapshots are taken.
    """
    plain, ours = loop(steps), tracked(loop, steps, directory, options)
    run = next(ours)
    times: list[tuple[float, float]] = []
    for number in range(-WARM_UP, blocks):
        observers.release()
        base = block(plain, steps)
        observers.acquire()
        if number == 0:
            before = run.cost.seconds
        times.append((base, block(ours, steps)))
    stated = 1e6 * (run.cost.seconds - before) / (steps * blocks)
    ours.close()
    untracked, with_us = zip(*times[WARM_UP:], strict=True)
    return Measured(list(untracked), list(with_us), stated)


def calls_a_step(loop: Iterator[Any], steps: int, blocks: int = 1) -> float:
    """How many Python functions are called in a steady step, by `sys.setprofile`."""
    calls = 0

    def profile(frame: Any, what: str, argument: Any) -> None:
        nonlocal calls
        calls += what == "call"

    for _ in range(WARM_UP):
        next(loop)
    sys.setprofile(profile)
    try:
        for _ in range(blocks):
            next(loop)
    finally:
        sys.setprofile(None)
    return calls / (steps * blocks)


def main() -> None:
    """Print one line a workload."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("workloads", nargs="*", default=["w5", "w1"])
    parser.add_argument("--blocks", type=int, default=41)
    parser.add_argument("--budget", type=float, default=None)
    options = parser.parse_args()
    torch.set_num_threads(1)
    # Without this Adam's vanishing moments of dead units slow the loop itself down after a while.
    torch.set_flush_denormal(True)
    settings = {"budget": options.budget, "budget_after": 0.0}
    with tempfile.TemporaryDirectory() as folder:
        for name in options.workloads:
            loop, steps = WORKLOADS[name]
            torch.manual_seed(0)
            found = measure(loop, steps, options.blocks, Path(folder) / name, **settings)
            low, middle, high = statistics.quantiles(found.ratios, n=4)
            ours = tracked(loop, steps, Path(folder) / f"{name}-calls", settings)
            calls = calls_a_step(ours, steps) - calls_a_step(loop(steps), steps)
            base = statistics.median(found.untracked)
            print(
                f"{name}: untracked {base:.1f} us; ratio {middle:.3f} ({low:.3f} - {high:.3f}); "
                f"measured +{base * (middle - 1):.1f} us, stated {found.stated:.1f} us; "
                f"{calls:.1f} calls a step"
            )
            ours.close()


if __name__ == "__main__":
    main()
