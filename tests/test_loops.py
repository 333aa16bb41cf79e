"""Loops as people write them: run plain and tracked, compared with numbers computed by hand.

Every file of `tests/loops` is one loop. It runs twice. Tracking must leave the training bit for
bit as it was, and the record must hold exactly the series that the loop's own notebook holds.
"""

from __future__ import annotations

import functools
import importlib.util
import math
import sys
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path
from types import ModuleType
from typing import Any

import numpy as np
import pytest
import torch

FOLDER = Path(__file__).parent / "loops"
sys.path.insert(0, str(FOLDER))

from _hand import Hand, Point  # noqa: E402
from untouched import left_on  # noqa: E402

LOOPS = sorted(p for p in FOLDER.glob("*.py") if p.stem != "conftest" and p.stem[0] != "_")
# The oracle must be complete for these: a recorded tag that nobody computed is a failure.
FAMILIES = ("Loss/", "Accuracy/", "R2/", "MAE/", "GradNorm/", "LearningRate/")
NOT_ZERO = 1e-12


@functools.cache
def load(path: Path) -> ModuleType:
    """The loop as a module of its own, with its source on disk for whoever reads it."""
    name = f"loops_{path.stem}"
    spec = importlib.util.spec_from_file_location(name, path)
    assert spec is not None
    assert spec.loader is not None
    module = importlib.util.module_from_spec(spec)
    sys.modules[name] = module
    spec.loader.exec_module(module)
    return module


@dataclass
class Outcome:
    hand: Hand
    state: list[tuple[str, Any]]
    #: What the loop trained, until it has been looked at.
    trained: Any = None

    def look_for_traces(self) -> None:
        """Fail where anything of a run that is over is left on what was trained."""
        trained, self.trained = self.trained, None
        assert left_on(trained) == []


def flattened(thing: Any, name: str = "") -> Iterator[tuple[str, Any]]:
    """Every tensor and number of a training state, by a path."""
    if isinstance(thing, torch.Tensor):
        dense = thing.detach().to_dense() if thing.is_sparse else thing.detach()
        raw = dense.cpu().contiguous().reshape(-1).view(torch.uint8).numpy().tobytes()
        yield name, (str(thing.dtype), tuple(thing.shape), raw)
    elif hasattr(thing, "state_dict"):
        yield from flattened(thing.state_dict(), f"{name}:{type(thing).__name__}")
    elif isinstance(thing, dict):
        for key, value in thing.items():
            yield from flattened(value, f"{name}.{key}")
    elif isinstance(thing, (list, tuple)):
        for index, value in enumerate(thing):
            yield from flattened(value, f"{name}[{index}]")
    else:
        yield name, repr(thing) if isinstance(thing, float) else thing


def run_once(loop: Callable[[Hand], Any]) -> Outcome:
    hand = Hand()
    torch.manual_seed(0)
    trained = loop(hand)
    state = list(flattened(trained))
    state.append(("random numbers", torch.get_rng_state().numpy().tobytes()))
    return Outcome(hand, state, trained)


@functools.cache
def plain(path: Path) -> Outcome:
    outcome = run_once(load(path).loop)
    outcome.look_for_traces()
    return outcome


@functools.cache
def tracked(path: Path, directory: Path) -> tuple[Outcome, Any]:
    import autotrack

    plain(path)
    with pytest.MonkeyPatch.context() as patch:
        # Names of streams are settled when rows are written; a slow machine would do so too early.
        patch.setattr("autotrack.recorder._FLUSH_SECONDS", 1e6)
        with autotrack.tracking(logdir=str(directory)) as run:
            outcome = run_once(load(path).loop)
    outcome.look_for_traces()
    return outcome, autotrack.read(run.directory)


@pytest.fixture(scope="module")
def records(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return tmp_path_factory.mktemp("records")


@pytest.fixture(params=LOOPS, ids=lambda path: path.stem)
def path(request: pytest.FixtureRequest) -> Path:
    chosen: Path = request.param
    return chosen


def test_there_are_enough_loops() -> None:
    assert len(LOOPS) >= 60


def test_the_oracle_stands_on_its_own(path: Path) -> None:
    module, outcome = load(path), plain(path)
    assert module.__doc__
    assert outcome.state[:-1], "loop() returns nothing to compare"
    for tag, points in outcome.hand.points.items():
        assert tag.startswith(FAMILIES), tag
        assert all(isinstance(point.x, int) and point.x >= 0 for point in points), tag
    absent = set(getattr(module, "ABSENT", set()))
    assert not absent & set(outcome.hand.points), "a number cannot be absent and known"


def test_training_is_untouched(path: Path, records: Path) -> None:
    outcome, _ = tracked(path, records / path.stem)
    names = [name for name, _ in plain(path).state]
    assert [name for name, _ in outcome.state] == names
    before = dict(plain(path).state)
    changed = [name for name, value in outcome.state if value != before[name]]
    assert not changed
    assert str(outcome.hand.points) == str(plain(path).hand.points)


def test_series_equal_the_hand_computation(path: Path, records: Path, record_property: Any) -> None:
    module = load(path)
    outcome, history = tracked(path, records / path.stem)
    wrong = list(differences(outcome.hand, history, module))
    missing: dict[str, str] = getattr(module, "MISSING", {})
    for tag, why in missing.items():
        record_property("cannot be known", (path.stem, tag, why))
    if missing and not history.coverage:
        wrong.append("values are missing and the record has no coverage that says why")
    assert not wrong, "\n" + "\n".join(wrong)


def differences(hand: Hand, history: Any, module: ModuleType) -> Iterator[str]:
    unknowable = set(getattr(module, "MISSING", {})) | set(getattr(module, "ABSENT", set()))
    tolerance: dict[str, float] = getattr(module, "TOLERANCE", {})
    recorded = {tag: series for tag, series in history.items() if tag.startswith(FAMILIES)}
    for tag in sorted(unknowable & set(recorded)):
        yield f"{tag}: recorded as {described(recorded[tag])}, but it cannot be known"
    for tag in sorted(set(recorded) - set(hand.points) - unknowable):
        yield f"{tag}: recorded as {described(recorded[tag])}, but not in the hand computation"
    for tag in sorted(set(hand.points) - unknowable):
        points = sorted(hand.points[tag], key=lambda point: point.x)
        if tag not in recorded:
            yield f"{tag}: not recorded, by hand {[(p.x, p.value) for p in points[:6]]}"
        else:
            yield from compared(tag, points, recorded[tag], tolerance.get(tag, 0.0))


def compared(tag: str, points: list[Point], series: Any, extra: float) -> Iterator[str]:
    expected, found = [point.x for point in points], [int(x) for x in series.x]
    if expected != found:
        yield f"{tag}: x is {found[:12]}, by hand {expected[:12]} ({len(found)}, {len(expected)})"
        return
    for point, value in zip(points, series.value, strict=True):
        if not same(point.value, float(value), max(point.rtol, extra)):
            yield f"{tag}: at {point.x} recorded {float(value)!r}, by hand {point.value!r}"


def same(by_hand: float, recorded: float, rtol: float) -> bool:
    rounded = float(np.float32(by_hand))
    if math.isnan(rounded) or math.isinf(rounded):
        return repr(rounded) == repr(recorded)
    return abs(rounded - recorded) <= rtol * max(abs(rounded), NOT_ZERO)


def described(series: Any) -> str:
    return str(list(zip(series.x.tolist(), series.value.tolist(), strict=True))[:6])
