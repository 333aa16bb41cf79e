"""What a settled step may call: a ceiling on Python calls, which no machine's mood moves.

Lower the ceilings when the step path gets shorter. Timings are in `benchmarks/step_path.py`.
"""

from __future__ import annotations

import math
import sys
from collections.abc import Callable, Iterator
from typing import Any

import pytest
import torch
from torch import nn
from torch.utils.data import DataLoader, TensorDataset

import autotrack

STEPS = 20
WARM_UP = 40


def linear_regression() -> Iterator[None]:
    """The tutorial's: one weight, the whole batch each step, one step an epoch."""
    x = torch.randn(100, 1)
    model, criterion = nn.Linear(1, 1), nn.MSELoss()
    optimizer = torch.optim.SGD(model.parameters(), lr=0.01)
    for _epoch in range(sys.maxsize):
        loss = criterion(model(x), 3 * x + 2)
        optimizer.zero_grad()
        loss.backward()
        optimizer.step()
        yield


def many_steps_an_epoch() -> Iterator[None]:
    """The same with many steps an epoch: they settle."""
    x = torch.randn(100, 1)
    model, criterion = nn.Linear(1, 1), nn.MSELoss()
    optimizer = torch.optim.SGD(model.parameters(), lr=0.01)
    for _epoch in range(2):
        for _ in range(1000):
            loss = criterion(model(x), 3 * x + 2)
            optimizer.zero_grad()
            loss.backward()
            optimizer.step()
            yield


def mlp() -> Iterator[None]:
    """W1: the tutorial's network, small pictures."""
    data = TensorDataset(torch.rand(800, 16), torch.randint(10, (800,)))
    model = nn.Sequential(nn.Linear(16, 8), nn.ReLU(), nn.Linear(8, 10))
    criterion = nn.CrossEntropyLoss()
    optimizer = torch.optim.Adam(model.parameters(), lr=1e-3)
    for _epoch in range(sys.maxsize):
        for pictures, labels in DataLoader(data, batch_size=8):
            loss = criterion(model(pictures), labels)
            optimizer.zero_grad()
            loss.backward()
            optimizer.step()
            yield


def micro_batches() -> Iterator[None]:
    """Four backward calls a step, each on a fourth of a loss."""
    x, y = torch.randn(32, 16), torch.randint(10, (32,))
    model, criterion = nn.Linear(16, 10), nn.CrossEntropyLoss()
    optimizer = torch.optim.SGD(model.parameters(), lr=0.01)
    for _epoch in range(2):
        for _ in range(1000):
            optimizer.zero_grad()
            for part, labels in zip(x.split(8), y.split(8), strict=True):
                loss = criterion(model(part), labels) / 4
                loss.backward()
            optimizer.step()
            yield


def two_terms() -> Iterator[None]:
    """A loss of two criteria, weighted."""
    x, y = torch.randn(32, 16), torch.randint(10, (32,))
    model = nn.Linear(16, 10)
    optimizer = torch.optim.SGD(model.parameters(), lr=0.01)
    for _epoch in range(2):
        for _ in range(1000):
            scores = model(x)
            loss = nn.functional.cross_entropy(scores, y)
            loss = loss + 0.1 * nn.functional.mse_loss(scores, x[:, :10])
            optimizer.zero_grad()
            loss.backward()
            optimizer.step()
            yield


def scaled() -> Iterator[None]:
    """A loss that a gradient scaler multiplies."""
    x, y = torch.randn(32, 16), torch.randint(10, (32,))
    model, criterion = nn.Linear(16, 10), nn.CrossEntropyLoss()
    optimizer = torch.optim.SGD(model.parameters(), lr=0.01)
    scaler = torch.amp.GradScaler("cpu")
    for _epoch in range(2):
        for _ in range(1000):
            loss = criterion(model(x), y)
            optimizer.zero_grad()
            scaler.scale(loss).backward()
            scaler.step(optimizer)
            scaler.update()
            yield


def by_hand() -> Iterator[None]:
    """No criterion and no optimizer."""
    x = torch.randn(32, 3)
    weight = torch.zeros(3, 1, requires_grad=True)
    for _epoch in range(2):
        for _ in range(1000):
            loss = (x @ weight - x[:, :1]).pow(2).mean()
            weight.grad = None
            loss.backward()
            weight.data -= 0.1 * weight.grad
            yield


def calls(loop: Callable[[], Iterator[None]]) -> float:
    """Python functions called in a settled step."""
    counted = 0

    def profile(_frame: Any, what: str, _argument: Any) -> None:
        nonlocal counted
        counted += what == "call"

    before, steps = sys.getprofile(), loop()
    try:
        # One place for all steps: where another line resumes the loop, its place is looked up anew.
        # So it is while calls are counted, because Python then runs other instructions.
        sys.setprofile(profile)
        for number in range(WARM_UP + STEPS):
            if number == WARM_UP:
                counted = 0
            next(steps)
    finally:
        sys.setprofile(before)
    return counted / STEPS


# Where every step is an epoch each ends a pass and begins another: none of them settles.
CEILINGS = [
    (linear_regression, 222),
    (many_steps_an_epoch, 35),
    (mlp, 46),
    (micro_batches, 170),
    (two_terms, 92),
    (by_hand, 46),
    (scaled, 46),
]


@pytest.mark.parametrize(("loop", "ceiling"), CEILINGS)
@pytest.mark.usefixtures("nothing_compiled")
def test_a_settled_step_calls_few_functions(tmp_path, loop, ceiling):
    alone = calls(loop)
    with autotrack.tracking(logdir=tmp_path, strict=True, budget=None, histograms=0) as run:
        # What a clock decides is no part of a step: writing, and timing by part.
        run._meter.first, run._meter._next = 0.0, sys.maxsize
        run._recorder.due_at = math.inf
        added = calls(loop) - alone
    assert 10 < added <= ceiling, f"{added:.1f} calls"
