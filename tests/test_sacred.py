"""Training is sacred: tracked and untracked it ends bit for bit the same, whatever fails in here."""

from __future__ import annotations

import copy
import functools
import gc
import importlib
import inspect
import io
import logging
import math
import os
import pickle
import pkgutil
import signal
import subprocess
import sys
import textwrap
import threading
import time
import tracemalloc
import traceback
import weakref
from collections.abc import Callable, Iterator
from pathlib import Path
from types import CodeType, FunctionType, ModuleType
from typing import Any, NamedTuple

import pytest
import small_training
import torch
from small_training import TRAININGS, digest, seed
from torch import nn
from torch.nn import functional as F
from torch.utils.data import DataLoader, TensorDataset
from untouched import differences, surfaces

import autotrack
from autotrack import observers
from autotrack.context import active
from autotrack.errors import NestedRunError

# -- bit for bit -----------------------------------------------------------------------------------


@pytest.mark.parametrize("training", TRAININGS.values(), ids=TRAININGS.keys())
@pytest.mark.parametrize("way", ["tracking", "track", "everything given"])
def test_state_and_random_numbers_are_the_same(training, way):
    plain = training()
    if way == "track":
        tracked = autotrack.track(logdir="run")(training)()
    elif way == "tracking":
        with autotrack.tracking(logdir="run"):
            tracked = training()
    else:
        with autotrack.tracking(
            logdir="run", config={"lr": 0.1}, metrics=["+accuracy"], include=["*"], exclude=["x"]
        ):
            tracked = training()
    assert tracked == plain
    assert len(autotrack.read("run").get("Loss/train", ())) or autotrack.read("run").streams


OPTIMIZERS = {
    "sgd": functools.partial(torch.optim.SGD, lr=0.1, momentum=0.9, nesterov=True),
    "adam": functools.partial(torch.optim.Adam, lr=0.01, amsgrad=True),
    "adamw": functools.partial(torch.optim.AdamW, lr=0.01, foreach=True),
}
LOADING = {
    "in the process": {"num_workers": 0},
    "two workers": {"num_workers": 2},
    "workers that stay": {"num_workers": 2, "persistent_workers": True},
}


def shuffled_training(make_optimizer, loading, *, epochs=2):
    seed()
    x, y = torch.randn(24, 5), torch.randint(0, 3, (24,))
    model = nn.Sequential(nn.Linear(5, 8), nn.ReLU(), nn.Dropout(0.3), nn.Linear(8, 3))
    optimizer = make_optimizer(model.parameters())
    loader = DataLoader(TensorDataset(x, y), batch_size=6, shuffle=True, **loading)
    seen = []
    for _epoch in range(epochs):
        for inputs, labels in loader:
            seen.append(inputs.sum().item())
            optimizer.zero_grad()
            F.cross_entropy(model(inputs), labels).backward()
            optimizer.step()
    return digest(model, optimizer), seen


@pytest.mark.parametrize("optimizer", OPTIMIZERS.values(), ids=OPTIMIZERS.keys())
def test_dropout_and_shuffling_with_every_optimizer(optimizer):
    plain = shuffled_training(optimizer, LOADING["in the process"])
    with autotrack.tracking(logdir="run"):
        assert shuffled_training(optimizer, LOADING["in the process"]) == plain
    assert len(autotrack.read("run")["Loss/train"].x) == 8


@pytest.mark.parametrize("loading", ["two workers", "workers that stay"])
def test_loader_workers_draw_the_same_batches(loading):
    plain = shuffled_training(OPTIMIZERS["sgd"], LOADING[loading])
    with autotrack.tracking(logdir="run"):
        assert shuffled_training(OPTIMIZERS["sgd"], LOADING[loading]) == plain
    assert len(autotrack.read("run")["Loss/train"].x) == 8


# -- every part fails in turn ----------------------------------------------------------------------

# Read a record back or start the program: no part of a training that runs.
_NOT_IN_THE_LOOP = frozenset(
    {"__main__", "api", "assembly", "cli", "columns", "config", "demo", "history", "launched"}
    | {"placement", "report", "reports", "runner", "series", "_startup", "_version"}
)
# What catches the failures of the others, and what undoes the patches: without them nothing can.
_THE_NET = frozenset(
    {
        "context.enter",
        "context.leave",
        "guard.Guard.__init__",
        "guard.Guard.call",
        "guard.Guard.switch_off",
        "guard.attempt",
        "observers._patch._restore",
        "observers.release",
        "run.Run.__enter__",
        "run.Run.__exit__",
        "run.Run.emit",
        "run.Run.finish",
        "run.Run.flush",
    }
)


class Part(NamedTuple):
    """A function of autotrack: the module it is in, and the attribute that holds it."""

    room: str
    function: FunctionType
    owner: Any
    attribute: str


def parts() -> dict[str, Part]:
    """Every function and method of the capture by its dotted name."""
    found: dict[str, Part] = {}
    for module in _modules(autotrack):
        short = module.__name__.removeprefix("autotrack.")
        if short.partition(".")[0] not in _NOT_IN_THE_LOOP:
            found |= {
                f"{short}.{name}": Part(short, *place)
                for name, place in _functions(module)
                if f"{short}.{name}" not in _THE_NET
            }
    return found


def _modules(package: ModuleType) -> Iterator[ModuleType]:
    for entry in pkgutil.iter_modules(package.__path__, f"{package.__name__}."):
        if entry.name.split(".")[1] in _NOT_IN_THE_LOOP:
            continue
        module = importlib.import_module(entry.name)
        yield module
        if entry.ispkg:
            yield from _modules(module)


def _functions(module: ModuleType) -> Iterator[tuple[str, tuple[FunctionType, Any, str]]]:
    for name, thing in vars(module).items():
        if inspect.isfunction(thing) and thing.__module__ == module.__name__:
            yield name, (thing, module, name)
        elif inspect.isclass(thing) and thing.__module__ == module.__name__:
            for inner, member in vars(thing).items():
                function = getattr(member, "__func__", getattr(member, "fget", member))
                if inspect.isfunction(function):
                    yield f"{name}.{inner}", (function, thing, inner)


PARTS = parts()
ROOMS = sorted({part.room for part in PARTS.values()})


class Broken(RuntimeError):
    """What a broken part raises."""


def _raise(*args, **kwargs):
    from test_sacred import Broken

    raise Broken("broken part")


@functools.cache
def calls_of(training: str) -> frozenset[CodeType]:
    """The code objects of the parts that a tracked training calls."""
    called = set()

    def profile(frame, what, argument):
        if what == "call":
            called.add(frame.f_code)

    before = sys.getprofile()
    sys.setprofile(profile)
    try:
        with autotrack.tracking(logdir=f"profile-{training}"):
            TRAININGS[training]()
    finally:
        sys.setprofile(before)
    return frozenset(called & {part.function.__code__ for part in PARTS.values()})


@functools.cache
def plain_result(training: str) -> str:
    return TRAININGS[training]()


def reaching(name: str) -> str | None:
    """The first training that calls a part, None where none does."""
    code = PARTS[name].function.__code__
    return next((training for training in TRAININGS if code in calls_of(training)), None)


def break_part(name: str, undo: pytest.MonkeyPatch) -> None:
    """Make one part raise, wherever it is held: its code is exchanged."""
    _, function, owner, attribute = PARTS[name]
    if function.__code__.co_freevars:
        undo.setattr(owner, attribute, _raise)
    else:
        undo.setattr(function, "__defaults__", None)
        undo.setattr(function, "__code__", _raise.__code__)


def numbers(directory: Path) -> dict[tuple[str, int], float]:
    """Every recorded number but the timings, by tag and place."""
    try:
        history = autotrack.read(directory)
    except FileNotFoundError:
        return {}
    return {
        (tag, int(x)): float(value)
        for tag, series in history.items()
        if not tag.startswith("Throughput/")
        for x, value in zip(series.x, series.value, strict=True)
    }


@functools.cache
def whole_record(training: str) -> dict[tuple[str, int], float]:
    with autotrack.tracking(logdir=f"whole-{training}") as run:
        TRAININGS[training]()
    return numbers(run.directory)


def complaints(part: str, training: str, caplog) -> Iterator[str]:
    """What is wrong when a part is broken: not strict, and then strict."""
    caplog.clear()
    directory = Path(f"broken-{part}")
    with pytest.MonkeyPatch.context() as undo:
        break_part(part, undo)
        try:
            with autotrack.tracking(logdir=directory, strict=False):
                result = TRAININGS[training]()
        except Broken:
            yield f"{part} reached the training: {traceback.format_exc(limit=-4)}"
            return
    if result != plain_result(training):
        yield f"{part} changed the training"
    failed = warned(caplog)
    if len(failed) != len(set(failed)):
        yield f"{part} was reported more than once: {failed}"
    whole = whole_record(training)
    wrong = {k: v for k, v in numbers(directory).items() if not same(whole.get(k), v)}
    if wrong:
        yield f"{part} made the record wrong: {dict(list(wrong.items())[:3])} (failed: {failed})"
    if failed and not raises_when_strict(part, training):
        yield f"{part} does not raise with strict"


def same(one: float | None, other: float) -> bool:
    return one is not None and (one == other or (math.isnan(one) and math.isnan(other)))


def raises_when_strict(part: str, training: str) -> bool:
    with pytest.MonkeyPatch.context() as undo:
        break_part(part, undo)
        try:
            with autotrack.tracking(logdir=f"strict-{part}", strict=True):
                TRAININGS[training]()
        except Broken:
            return True
    return False


def warned(caplog) -> list[str]:
    """The parts that were reported as switched off, in order."""
    return [str(r.args[0]) for r in caplog.records if "switched off" in r.getMessage()]


@pytest.mark.parametrize("room", ROOMS)
def test_a_part_that_raises_never_reaches_the_training(room, caplog):
    wrong = []
    for name in (n for n, part in PARTS.items() if part.room == room):
        training = reaching(name)
        if training is None:
            continue
        plain_result(training), whole_record(training)
        before = surfaces()
        wrong += complaints(name, training, caplog)
        wrong += [f"{name} left behind {left}" for left in differences(before, surfaces())]
    assert not wrong, "\n" + "\n".join(wrong)


def test_nearly_every_part_is_reached():
    reached = [name for name in PARTS if reaching(name)]
    assert len(reached) > 0.85 * len(PARTS), sorted(set(PARTS) - set(reached))
