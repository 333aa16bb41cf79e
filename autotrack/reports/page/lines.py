"""Lines of the page's charts: places and values, thinned so that a page stays small."""

from __future__ import annotations

import base64
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any, Literal

import numpy as np
from numpy.typing import NDArray

from autotrack.reports.positions import is_per_step
from autotrack.reports.smoothing import needs_smoothing, smooth

if TYPE_CHECKING:
    from autotrack.reports.positions import TimeAxis
    from autotrack.reports.tags import Curve

Floats = NDArray[np.float64]
Integers = NDArray[np.int64]

#: raw: thin and pale under a calmer line; line: plain; dots: a line with its points.
Kind = Literal["raw", "line", "dots"]

_MOST_DOTS = 60
_EXACT_IN_FLOAT32 = 2**24


@dataclass(frozen=True)
class Line:
    """One line of a chart; `x` are positions along the run, `y` values, both of shape [n].

    `colour` is an index into the palette's series, `dash` one of four strokes. `tag` is the series
    that it shows ("" for one that is worked out), `step` and `epoch` where its points stand.
    """

    tag: str
    name: str
    colour: int
    kind: Kind
    x: Floats
    y: Floats
    step: Integers
    epoch: Integers
    dash: int = 0
    note: str = ""

    @property
    def done(self) -> bool:
        """Whether points stand where what they are of is done: those of steps are before them."""
        return bool(self.tag) and not is_per_step(self.tag)


def lines_of(
    curve: Curve, axis: TimeAxis, colour: int, *, name: str = "", dash: int = 0, calm: bool = False
) -> list[Line]:
    """The line of a curve, and with `calm` a smoothed one after it where it is long and noisy."""
    series = curve.series
    x, y = axis.at(series, curve.stream), series.value.astype(np.float64)
    name = name or curve.name
    step, epoch = series.step, series.epoch
    if np.any(np.diff(x) < 0):
        # a run that was taken up again from an earlier step
        order = np.argsort(x, kind="stable")
        x, y, step, epoch = x[order], y[order], step[order], epoch[order]
    places = (step, epoch)
    if calm and needs_smoothing(y):
        shown = np.where(np.isfinite(y), y, np.nan)
        calmer = smooth(x, shown, splits=axis.splits(x, done=False))
        near = np.clip(np.searchsorted(x, calmer.x), 0, len(x) - 1)
        note = f"mean of {calmer.reach} points to either side"
        return [
            Line(series.tag, name, colour, "raw", x, y, *places, dash),
            Line(
                "",
                f"{name}, smoothed",
                colour,
                "line",
                calmer.x,
                calmer.y,
                step[near],
                epoch[near],
                dash,
                note,
            ),
        ]
    kind: Kind = "dots" if len(y) <= _MOST_DOTS else "line"
    return [Line(series.tag, name, colour, kind, x, y, *places, dash)]


@dataclass
class Store:
    """The numbers of all lines as the page's script reads them, within `budget` characters."""

    budget: int = 900_000
    lines: list[Line] = field(default_factory=list)

    def data(self) -> list[dict[str, Any]]:
        """One entry a line, in the order in which they were added."""
        share = self.budget // max(len(self.lines), 1)
        spare = sum(max(share - _size(line), 0) for line in self.lines)
        long = sum(_size(line) > share for line in self.lines)
        share += spare // max(long, 1)
        return [_packed(line, share) for line in self.lines]


def _size(line: Line) -> int:
    """About how many characters a line needs when nothing is left out."""
    values = 1 if _stride(line.x) is not None else 2
    return int(values * len(line.y) * 16 / 3) + 200


def _packed(line: Line, characters: int) -> dict[str, Any]:
    head = {
        "name": line.name,
        "colour": line.colour,
        "dash": line.dash,
        "kind": line.kind,
        "done": line.done,
    }
    if _size(line) <= characters:
        return {**head, "n": len(line.y), "x": _places(line.x), "y": encoded(line.y)}
    buckets = min(max(characters // 11, 500), 8192)
    x, low, high, size = bucketed(line.x, line.y, buckets)
    return {
        **head,
        "n": len(x),
        "x": _places(x),
        "y": encoded(low),
        "high": encoded(high),
        "each": size,
    }


def bucketed(x: Floats, y: Floats, buckets: int) -> tuple[Floats, Floats, Floats, int]:
    """Middle, lowest and highest finite value of runs of equally many points, and their size.

    NaN where none of a run is finite; the last run may be shorter.
    """
    size = -(-len(y) // buckets)
    starts = np.arange(0, len(y), size)
    finite = np.isfinite(y)
    low = np.minimum.reduceat(np.where(finite, y, np.inf), starts)
    high = np.maximum.reduceat(np.where(finite, y, -np.inf), starts)
    ends = np.minimum(starts + size, len(y)) - 1
    none = low > high
    low[none] = high[none] = np.nan
    return (x[starts] + x[ends]) / 2, low, high, size


def encoded(values: Floats) -> str:
    """Values as little-endian float32 in base64."""
    with np.errstate(over="ignore"):
        return base64.b64encode(values.astype("<f4").tobytes()).decode("ascii")


def _places(x: Floats) -> dict[str, Any]:
    stride = _stride(x)
    if stride is not None:
        return {"first": float(x[0]) if len(x) else 0.0, "stride": stride}
    if len(x) and x.max() >= _EXACT_IN_FLOAT32:
        return {"wide": base64.b64encode(x.astype("<f8").tobytes()).decode("ascii")}
    return {"values": encoded(x)}


def _stride(x: Floats) -> float | None:
    """The distance between neighbours where it is always the same (but for the last one)."""
    if len(x) < 2:
        return 1.0
    gaps = np.diff(x)
    return float(gaps[0]) if np.all(gaps == gaps[0]) else None
