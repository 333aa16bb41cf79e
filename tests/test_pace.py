"""Waiting times and throughput: of many steps together what they are step by step."""

from __future__ import annotations

from types import SimpleNamespace
from typing import Any

import pytest
import torch
from torch import nn
from torch.utils.data import DataLoader, TensorDataset

import autotrack
from autotrack.block import Block
from autotrack.keeper import Steps
from autotrack.metrics.loader_wait import LoaderWait
from autotrack.metrics.throughput import Throughput

# Of each step: seconds until its batch came, and from there to its end.
TIMES = [(0.11, 0.053), (0.02, 0.3), (0.4, 0.1), (0.0, 0.01)] * 12


class Clock:
    """A clock that stands where it is put."""

    def __init__(self, monkeypatch: pytest.MonkeyPatch) -> None:
        self.now = 100.0
        for module in ("loader_wait", "throughput"):
            monkeypatch.setattr(f"autotrack.metrics.{module}.time.perf_counter", self.read)

    def read(self) -> float:
        return self.now


def pace(kind: type, stream: Any) -> Any:
    metric = kind(SimpleNamespace())
    metric._stream = stream
    return metric


def expected_waits() -> list[tuple[int, float]]:
    """Once a second of steps, the share of it that was waited."""
    found, busy, waited = [], 0.0, 0.0
    for step, (wait, work) in list(enumerate(TIMES))[1:]:
        busy, waited = busy + wait + work, waited + wait
        if busy >= 1:
            found.append((step, 100 * waited / busy))
            busy = waited = 0.0
    return found


def test_the_oracle_sees_a_wait_between_nothing_and_everything():
    assert len(expected_waits()) > 5
    assert all(0 < share < 100 for _, share in expected_waits())


@pytest.mark.parametrize("fold_every", [1, 2, 5, 48])
@pytest.mark.parametrize("within_a_step", [False, True])
def test_waits_are_those_of_the_steps_they_came_before(fold_every, within_a_step, monkeypatch):
    """Also where a fold comes between the batch of a step and its end."""
    clock, stream = Clock(monkeypatch), object()
    metric = pace(LoaderWait, stream)
    keeper = metric.settle(SimpleNamespace(stream=stream))
    found, ends, first = [], [], 0

    def fold() -> None:
        nonlocal ends, first
        block = Block(first, [0.0] * len(ends))
        keeper.fold(Steps(block, [], ends))
        found.extend((first + i, own[0][1]) for i, own in block.extra.items())
        first, ends = first + len(ends), []

    for step, (wait, work) in enumerate(TIMES):
        clock.now += wait
        keeper.batch(wait)
        if within_a_step and ends and step % fold_every == 0:
            fold()
        clock.now += work
        ends.append(clock.now)
        if not within_a_step and (step + 1) % fold_every == 0:
            fold()
    if ends:
        fold()
    # The first step only says from when on there are times.
    assert [step for step, _ in found] == [step for step, _ in expected_waits()]
    assert [share for _, share in found] == pytest.approx([share for _, share in expected_waits()])


@pytest.mark.parametrize("fold_every", [1, 3, 48])
def test_throughput_is_that_of_each_second(fold_every, monkeypatch):
    clock, stream = Clock(monkeypatch), object()
    together, one_by_one = pace(Throughput, stream), pace(Throughput, stream)
    keeper = together.settle(SimpleNamespace(stream=stream, samples=4))
    found, expected, ends = [], [], []
    for step, (wait, work) in enumerate(TIMES):
        clock.now += wait + work
        row = SimpleNamespace(scalars=[])
        batches = [SimpleNamespace(size=size, drawn=None, apart=False) for size in (3, 1)]
        one_by_one.step_taken(SimpleNamespace(stream=stream, row=row, groups=[batches]))
        expected += [(step, *pair) for pair in row.scalars]
        ends.append(clock.now)
        if len(ends) == fold_every:
            block = Block(step + 1 - fold_every, [0.0] * fold_every)
            keeper.fold(Steps(block, [], ends))
            found += [(block.x + i, *pair) for i, own in block.extra.items() for pair in own]
            ends = []
    assert found == expected
    assert len(found) > 10
    assert found[1][2] == pytest.approx(4 * found[0][2])


@pytest.mark.parametrize("criterion", [False, True])
def test_a_batch_in_parts_is_so_many_samples_once(criterion, tmp_path, monkeypatch):
    """A loader's eight, four at a time; one step takes two such batches."""
    monkeypatch.setattr("autotrack.metrics.throughput._INTERVAL", 1e-9)
    torch.manual_seed(0)
    loader = DataLoader(TensorDataset(torch.randn(80, 3), torch.randn(80, 1)), batch_size=8)
    model = nn.Linear(3, 1)
    optimizer = torch.optim.SGD(model.parameters(), lr=0.01)
    with autotrack.tracking(logdir=tmp_path) as run:
        for number, (x, y) in enumerate(loader):
            for part in (slice(0, 4), slice(4, 8)):
                out = model(x[part])
                wrong = nn.functional.mse_loss(out, y[part]) if criterion else (out - y[part]) ** 2
                wrong.mean().backward()
            if number % 2:
                optimizer.step()
                optimizer.zero_grad()
    history = autotrack.read(run.directory)
    steps, samples = (history[f"Throughput/{of}_per_second"] for of in ("steps", "samples"))
    assert len(steps) == 4
    assert (samples.value / steps.value).tolist() == pytest.approx([16.0] * 4)


def test_two_losses_of_one_batch_are_its_samples_once(tmp_path, monkeypatch):
    monkeypatch.setattr("autotrack.metrics.throughput._INTERVAL", 1e-9)
    torch.manual_seed(0)
    loader = DataLoader(TensorDataset(torch.randn(48, 3), torch.randn(48, 1)), batch_size=8)
    model = nn.Linear(3, 1)
    optimizer = torch.optim.SGD(model.parameters(), lr=0.01)
    with autotrack.tracking(logdir=tmp_path) as run:
        for x, y in loader:
            optimizer.zero_grad()
            nn.functional.mse_loss(model(x), y).backward()
            nn.functional.l1_loss(model(x), y).backward()
            optimizer.step()
    history = autotrack.read(run.directory)
    steps, samples = (history[f"Throughput/{of}_per_second"] for of in ("steps", "samples"))
    assert len(steps) == 5
    assert (samples.value / steps.value).tolist() == pytest.approx([8.0] * 5)


def test_nobody_waits_longer_than_there_is_time(tmp_path, monkeypatch):
    """A training that settles, hands back at the end of every epoch, and settles again."""
    monkeypatch.setattr("autotrack.metrics.loader_wait._INTERVAL", 1e-9)
    torch.manual_seed(0)
    loader = DataLoader(TensorDataset(torch.randn(80, 3), torch.randn(80, 1)), batch_size=4)
    model = nn.Linear(3, 1)
    optimizer = torch.optim.SGD(model.parameters(), lr=0.01)
    with autotrack.tracking(logdir=tmp_path) as run:
        for _ in range(4):
            for x, y in loader:
                loss = nn.functional.mse_loss(model(x), y)
                optimizer.zero_grad()
                loss.backward()
                optimizer.step()
    shares = autotrack.read(run.directory)["Throughput/loader_wait"].value
    assert run.settled.taken > 20
    assert len(shares) > 70
    assert all(0 < share < 100 for share in shares)


@pytest.mark.parametrize(("shared", "known"), [(True, [6.0] * 4), (False, None)])
def test_losses_added_up_sample_by_sample_are_not_taken_for_one_sample(
    shared, known, tmp_path, monkeypatch
):
    """Several exits compare one target; a loop over samples compares each with its own."""
    monkeypatch.setattr("autotrack.metrics.throughput._INTERVAL", 1e-9)
    torch.manual_seed(0)
    x, y, criterion = torch.randn(6, 3), torch.randn(6, 1), nn.MSELoss()
    model = nn.Linear(3, 1)
    optimizer = torch.optim.SGD(model.parameters(), lr=0.01)
    pairs = [(x, y)] * 6 if shared else [(x[i : i + 1], y[i : i + 1]) for i in range(6)]
    with autotrack.tracking(logdir=tmp_path) as run:
        for _ in range(5):
            loss = torch.zeros(())
            for inputs, target in pairs:
                loss = loss + criterion(model(inputs), target)
            optimizer.zero_grad()
            loss.backward()
            optimizer.step()
    history = autotrack.read(run.directory)
    steps = history["Throughput/steps_per_second"]
    assert len(steps) == 4
    samples = history.get("Throughput/samples_per_second")
    assert (None if samples is None else (samples.value / steps.value).tolist()) == (
        None if known is None else pytest.approx(known)
    )
