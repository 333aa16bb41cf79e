"""Histograms over time: for each parameter its distributions, the early ones behind."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np

from autotrack.reports.densities import density, value_range
from autotrack.reports.page.drawing import SIDE, outline
from autotrack.reports.scales import number, whole

if TYPE_CHECKING:
    from collections.abc import Iterable

    from autotrack.history import History
    from autotrack.series import HistogramSeries

_MOST_PARAMETERS = 16
_MOST_MOMENTS = 10
_CELLS = 56
_TAIL = 0.002
_SHADES = 5
_TOP, _STEP = 300.0, 70.0


@dataclass(frozen=True)
class Ridges:
    """Distributions of one tensor: (shade, outline) from the earliest to the latest.

    `low` and `high` are the ends of the axis, `zero` the share of it at which 0 lies, if it does.
    """

    what: str
    outlines: list[tuple[int, str]]
    low: str
    high: str
    zero: float | None
    first: str
    last: str
    nonfinite: int

    @property
    def description(self) -> str:
        """The picture in words."""
        span = f"{self.first} to {self.last}" if self.first != self.last else self.first
        return f"Distribution of the {self.what}, {span}, values from {self.low} to {self.high}"


@dataclass(frozen=True)
class Distributions:
    """The distributions of one parameter's weights and gradients."""

    name: str
    ridges: list[Ridges]


def distributions(history: History, wanted: Iterable[str] = ()) -> tuple[list[Distributions], int]:
    """Distributions of the parameters, at most sixteen of them, and how many parameters there are.

    Those in `wanted` come first into the choice; the others are spread evenly over the layers.
    """
    names = list(dict.fromkeys(n for tag in history.histograms if (n := _parameter(tag))))
    found = []
    for name in _chosen(names, set(wanted)):
        ridges = [
            made
            for family, what in (("Weights", "weights"), ("Gradients", "gradients"))
            if (series := history.histograms.get(f"{family}/{name}")) is not None
            and (made := _ridges(series, what))
        ]
        if ridges:
            found.append(Distributions(name, ridges))
    for tag, series in history.histograms.items():
        # histograms of somebody else's
        if not _parameter(tag) and len(found) < _MOST_PARAMETERS and (made := _ridges(series, tag)):
            names.append(tag)
            found.append(Distributions(tag, [made]))
    return found, len(names)


def _parameter(tag: str) -> str:
    family, _, name = tag.partition("/")
    return name if family in {"Weights", "Gradients"} else ""


def _chosen(names: list[str], wanted: set[str]) -> list[str]:
    if len(names) <= _MOST_PARAMETERS:
        return names
    first = [name for name in names if name in wanted][:_MOST_PARAMETERS]
    left = [name for name in names if name not in first]
    spread = np.linspace(0, len(left) - 1, _MOST_PARAMETERS - len(first)).astype(int)
    kept = {*first, *(left[index] for index in spread)}
    return [name for name in names if name in kept]


def _ridges(series: HistogramSeries, what: str) -> Ridges | None:
    filled = np.flatnonzero(series.number > 0)
    if not len(filled):
        return None
    count = min(_MOST_MOMENTS, len(filled))
    rows = filled[np.linspace(0, len(filled) - 1, count).round().astype(int)]
    low, high = value_range(series, rows, _TAIL)
    grid = np.linspace(low, high, _CELLS)
    heights = [density(series, int(row), grid) for row in rows]
    tallest = max(float(h.max()) for h in heights) or 1.0
    # the latest stands in front, at the bottom
    room = (SIDE - _TOP) / max(count - 1, 1)
    step = min(room, _STEP) if count > 1 else 0.0
    top = SIDE - step * (count - 1)
    outlines = []
    for index, height in enumerate(heights):
        base = top + step * index
        shade = round((_SHADES - 1) * (index / (count - 1))) if count > 1 else _SHADES - 1
        line = base - (top - 10) * height / tallest
        outlines.append((shade, outline(np.linspace(0, SIDE, _CELLS), line, base)))
    return Ridges(
        what=what,
        outlines=outlines,
        low=number(low),
        high=number(high),
        zero=-low / (high - low) if low < 0 < high else None,
        first=_moment(series, int(rows[0])),
        last=_moment(series, int(rows[-1])),
        nonfinite=int(series.nonfinite.sum()),
    )


def _moment(series: HistogramSeries, row: int) -> str:
    epoch = int(series.epoch[row])
    step = f"step {whole(int(series.step[row]))}"
    return f"epoch {epoch}" if epoch >= 0 and series.epoch[0] != series.epoch[-1] else step
