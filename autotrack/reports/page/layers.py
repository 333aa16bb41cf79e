"""One number a parameter over time, as a map: layers from top to bottom, the run to the right."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np

from autotrack.reports.depth import shortened
from autotrack.reports.intervals import interval_sentence
from autotrack.reports.scales import number

if TYPE_CHECKING:
    from numpy.typing import NDArray

    from autotrack.history import History
    from autotrack.reports.page.scale import RunScale
    from autotrack.series import VectorSeries

    Floats = NDArray[np.float64]

LEVELS = 7
_MOST_ROWS = 48
_NAME_LETTERS = 29
_COLUMNS = 80
_SIDE = 1000

_KINDS = (
    (
        "autotrack/gradient_norm",
        "Gradient flow",
        "Norm of each parameter's gradient. Rows that fade to pale have gradients that vanish.",
    ),
    (
        "autotrack/update_ratio",
        "Update ratio by layer",
        "How much of itself each parameter changed in a step; pale rows hardly move.",
    ),
)


@dataclass(frozen=True)
class LayerRow:
    """One parameter of a map, with its name in full and cut short, its first and last value."""

    name: str
    short: str
    first: str
    last: str


@dataclass(frozen=True)
class LayerMap:
    """A map: `cells` has a path for each of seven levels, from the smallest amounts to the largest.

    `bounds` are the amounts at which one level ends and the next begins, `zeros` the path of cells
    that are exactly zero; `left_out` is how many parameters there was no room for.
    """

    title: str
    about: str
    rows: list[LayerRow]
    cells: list[str]
    zeros: str
    low: str
    high: str
    left_out: int

    @property
    def description(self) -> str:
        """The map in words."""
        return f"{self.title}: {len(self.rows)} parameters, values from {self.low} to {self.high}"


def layer_maps(history: History, run: RunScale) -> list[LayerMap]:
    """The maps that a record gives, one a kind and stream."""
    found = []
    for tag, title, about in _KINDS:
        for stream in history.streams:
            series = history.vectors.get(f"{tag}/{stream}" if stream else tag)
            if series is None or not (np.isfinite(series.value) & (series.value > 0)).any():
                continue
            words = f"{title}, {stream}" if stream else title
            positions = run.share(run.axis.at(series, stream))
            said = about + interval_sentence(history, "snapshots")
            found.append(_map(series, positions, words, said))
    return found


def _map(series: VectorSeries, positions: Floats, title: str, about: str) -> LayerMap:
    rows = np.arange(len(series.names))
    if len(rows) > _MOST_ROWS:
        rows = np.unique(np.linspace(0, len(rows) - 1, _MOST_ROWS).astype(int))
    values = series.value[:, rows].astype(np.float64)
    edges, columns = _columns(positions, values)
    positive = columns[np.isfinite(columns) & (columns > 0)]
    low, high = np.log10(np.percentile(positive, [1, 99]))
    high = max(high, low + 0.5)
    with np.errstate(divide="ignore", invalid="ignore"):
        levels = np.floor((np.log10(columns) - low) / (high - low) * LEVELS)
    levels = np.where(columns > 0, np.clip(levels, 0, LEVELS - 1), np.where(columns == 0, -1, -2))
    return LayerMap(
        title=title,
        about=about,
        rows=[_row(series.names[row], series.value[:, row]) for row in rows],
        cells=[_cells(levels == level, edges) for level in range(LEVELS)],
        zeros=_cells(levels == -1, edges),
        low=number(10**low, 2),
        high=number(10**high, 2),
        left_out=len(series.names) - len(rows),
    )


def _columns(positions: Floats, values: Floats) -> tuple[Floats, Floats]:
    """Edges of at most eighty columns as shares of the axis, and the median of each; NaN as is."""
    kept = min(_COLUMNS, len(positions))
    starts = np.unique(np.linspace(0, len(positions), kept + 1).astype(int))[:-1]
    parts = np.split(values, starts[1:])
    columns = np.stack([_median(part) for part in parts])
    at = np.clip(positions[starts], 0.0, 1.0)
    return np.append(at, 1.0), columns


def _median(part: Floats) -> Floats:
    known = np.isfinite(part)
    filled = np.where(known, part, np.nan)
    middle = np.full(part.shape[1], np.nan)
    some = known.any(axis=0)
    middle[some] = np.nanmedian(filled[:, some], axis=0)
    return middle


def _cells(chosen: NDArray[np.bool_], edges: Floats) -> str:
    """One path of all chosen cells; neighbours in a row are one rectangle. Rows are 1 high."""
    parts = []
    places = np.round(_SIDE * edges, 1)
    for row in range(chosen.shape[1]):
        flags = np.concatenate([[False], chosen[:, row], [False]])
        turns = np.flatnonzero(flags[1:] != flags[:-1])
        for start, end in zip(turns[::2], turns[1::2], strict=True):
            width = places[end] - places[start]
            parts.append(f"M{places[start]:g} {row}h{width:g}v1h{-width:g}z")
    return "".join(parts)


def _row(name: str, values: NDArray[np.float32]) -> LayerRow:
    known = values[np.isfinite(values)]
    words = [number(float(v)) for v in (known[[0, -1]] if len(known) else [])] or ["—", "—"]
    return LayerRow(name, shortened(name, _NAME_LETTERS), words[0], words[-1])
