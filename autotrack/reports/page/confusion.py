"""The confusion matrix of the last pass of each phase: labels in rows, predictions in columns."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import numpy as np

from autotrack.reports.classes import class_names
from autotrack.reports.depth import shortened
from autotrack.reports.scales import number, whole

if TYPE_CHECKING:
    from numpy.typing import NDArray

    from autotrack.history import History

_MOST_CLASSES = 25
_MOST_MISTAKES = 12
_LEVELS = 7
_NAME_LETTERS = 24


@dataclass(frozen=True)
class Cell:
    """How often a class was taken for another, and its level of seven within the row."""

    count: str
    level: int


@dataclass(frozen=True)
class Matrix:
    """Counts of one phase; `rows` is empty where there are too many classes for a table.

    `names` are those of the classes, or, where they are not `named`, their numbers; `recall` is
    the share of each class that was recognised; `mistakes` the most frequent confusions as (label,
    prediction, count).
    """

    phase: str
    when: str
    classes: int
    rows: list[list[Cell]]
    recall: list[str]
    mistakes: list[tuple[str, str, str]]
    names: list[str]
    named: bool


def matrices(history: History) -> list[Matrix]:
    """The matrix of the last pass of each phase that has one."""
    known: dict[str, Any] = getattr(history, "confusion", {})
    return [
        _matrix(history, phase, series) for phase, series in known.items() if len(series.counts)
    ]


def _matrix(history: History, phase: str, series: Any) -> Matrix:
    counts = np.asarray(series.counts[-1], np.int64)
    epoch = int(series.epoch[-1])
    when = f"epoch {epoch}" if epoch >= 0 else f"step {whole(int(series.step[-1]))}"
    totals = counts.sum(axis=1)
    shares = counts / np.maximum(totals, 1)[:, None]
    recall = [f"{number(100 * shares[i, i])} %" if totals[i] else "—" for i in range(len(counts))]
    shown = len(counts) <= _MOST_CLASSES
    known = class_names(history, len(counts))
    names = [shortened(name, _NAME_LETTERS) for name in known or map(str, range(len(counts)))]
    return Matrix(
        phase=phase,
        when=when,
        classes=len(counts),
        rows=[_cells(c, s) for c, s in zip(counts, shares, strict=True)] if shown else [],
        recall=recall,
        mistakes=[(names[a], names[b], times) for a, b, times in _mistakes(counts)],
        names=names,
        named=known is not None,
    )


def _cells(counts: NDArray[np.int64], shares: NDArray[np.float64]) -> list[Cell]:
    levels = np.where(counts > 0, np.ceil(shares * (_LEVELS - 1)), 0).astype(int)
    return [Cell(whole(c), v) for c, v in zip(counts.tolist(), levels.tolist(), strict=True)]


def _mistakes(counts: NDArray[np.int64]) -> list[tuple[int, int, str]]:
    off = counts.copy()
    np.fill_diagonal(off, 0)
    order = np.argsort(off, axis=None)[::-1][:_MOST_MISTAKES]
    places = [(int(i // len(off)), int(i % len(off))) for i in order if off.flat[i] > 0]
    return [(label, prediction, whole(int(off[label, prediction]))) for label, prediction in places]
