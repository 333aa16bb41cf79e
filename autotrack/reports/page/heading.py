"""The head of the page: name, date, length, how it ended, and the numbers one asks for first."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np

from autotrack.findings import last_training
from autotrack.reports.page.about import cost_of, date, seconds
from autotrack.reports.scales import number, whole
from autotrack.reports.tags import evaluations, training

if TYPE_CHECKING:
    from autotrack.history import History
    from autotrack.reports.positions import TimeAxis
    from autotrack.series import Series


@dataclass(frozen=True)
class Number:
    """A number of the head: what it is, its value, and where or of what."""

    what: str
    value: str
    note: str = ""


@dataclass(frozen=True)
class Heading:
    """Name of the run, facts in a line, numbers in a row."""

    name: str
    facts: list[str]
    numbers: list[Number]


def heading(history: History, axis: TimeAxis) -> Heading:
    """The head of a run's page."""
    run = history.run
    facts = []
    begin, end = _times(history)
    if begin is not None:
        facts.append(date(begin))
    if "error" in run:
        facts.append(f"ended by {run['error']}")
    elif "started" in run and "ended" not in run:
        facts.append("no end recorded: still running, or killed")
    if history.truncated:
        facts.append(f"{whole(history.truncated)} bytes at the end cannot be read")
    last = last_training(history)
    numbers = [*_best_loss(last), *_last_accuracy(last)]
    if begin is not None and end is not None and end > begin:
        numbers.append(Number("Duration", seconds(end - begin)))
    numbers += _length(axis)
    share, took = (cost_of(history).get(name) for name in ("share", "seconds"))
    if isinstance(share, (int, float)):
        time = f", {number(took, 2)} s" if isinstance(took, (int, float)) else ""
        numbers.append(
            Number("Tracking cost", f"{number(100 * share, 2)} %", f"of the loop's time{time}")
        )
    return Heading(str(run.get("name") or history.directory.name), facts, numbers)


def _times(history: History) -> tuple[float | None, float | None]:
    ends = [(s.time.min(), s.time.max()) for s in history.values() if len(s)]
    begin = history.run.get("started", min((float(a) for a, _ in ends), default=None))
    end = history.run.get("ended", max((float(b) for _, b in ends), default=None))
    return begin, end


def _best_loss(history: History) -> list[Number]:
    found = []
    for curve in evaluations(history, "Loss")[:2]:
        best = _at(curve.series, lowest=True)
        if best is not None:
            value = number(float(curve.series.value[best]), 4)
            found.append(Number(f"Best {curve.name} loss", value, _moment(curve.series, best)))
    if found:
        return found
    trained = training(history, "Loss/train_epoch") or training(history, "Loss/train")
    for curve in trained[:2]:
        known = np.flatnonzero(np.isfinite(curve.series.value))
        if len(known):
            name = f"Final loss, {curve.stream}" if curve.stream else "Final training loss"
            value = number(float(curve.series.value[known[-1]]), 4)
            found.append(Number(name, value, _moment(curve.series, int(known[-1]))))
    return found


def _last_accuracy(history: History) -> list[Number]:
    curves = evaluations(history, "Accuracy") or training(history, "Accuracy/train")
    for curve in curves[:1]:
        known = np.flatnonzero(np.isfinite(curve.series.value))
        best = _at(curve.series, lowest=False)
        if len(known) and best is not None:
            value = number(float(curve.series.value[known[-1]]), 3)
            top = number(float(curve.series.value[best]), 3)
            at = _moment(curve.series, best)
            note = f"best {top} %, {at}" if top != value else f"its best, {at}"
            return [Number(f"Final {curve.name} accuracy", f"{value} %", note)]
    return []


def _at(series: Series, *, lowest: bool) -> int | None:
    values = series.value.astype(np.float64)
    if not np.isfinite(values).any():
        return None
    values = np.where(np.isfinite(values), values, np.inf if lowest else -np.inf)
    return int(values.argmin() if lowest else values.argmax())


def _moment(series: Series, index: int) -> str:
    epoch = int(series.epoch[index])
    return f"epoch {epoch}" if epoch >= 0 else f"step {whole(int(series.step[index]))}"


def _length(axis: TimeAxis) -> list[Number]:
    if axis.epochs is None:
        return [Number("Steps", whole(axis.total))]
    epochs = len(axis.epochs.numbers)
    return [Number("Steps", whole(axis.total), f"{whole(epochs)} epoch{'s' * (epochs != 1)}")]
