"""Distributions over time, one panel a parameter: ridge lines, early at the back, late in front."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import numpy as np
from matplotlib.ticker import MaxNLocator

from autotrack.reports import canvas, style
from autotrack.reports.densities import density, value_range
from autotrack.reports.depth import shortened
from autotrack.reports.intervals import interval_text
from autotrack.reports.palette import current
from autotrack.reports.positions import TimeAxis
from autotrack.reports.scales import PlainNumbers, whole

if TYPE_CHECKING:
    from matplotlib.axes import Axes
    from matplotlib.figure import Figure
    from numpy.typing import NDArray

    from autotrack.history import History
    from autotrack.series import HistogramSeries

_MOST_PANELS = 12
_COLUMNS = 3
_MOST_RIDGES = 16
_OVERLAP = 2.6
_GRID = 180
_NAME_LETTERS = 30
# Gradients have long thin tails; drawn in full, everything else would be a needle.
_TAILS = {"Weights": 0.002, "Gradients": 0.01}


def parameters(history: History, group: str) -> list[str]:
    """Parameters that have a drawable histogram under `Weights` or `Gradients`, in order."""
    tags = [tag for tag in history.histograms if tag.startswith(f"{group}/")]
    return [tag.removeprefix(f"{group}/") for tag in tags if history.histograms[tag].number.any()]


def draw_group(history: History, group: str) -> Figure | None:
    """Draw the histograms of `Weights` or `Gradients` over time; None without any."""
    names = parameters(history, group)
    if not names:
        return None
    chosen = choose(history, group, names)
    with style.applied():
        figure, grid = _grid(len(chosen))
        time = TimeAxis.of(history)
        for place, name in enumerate(chosen):
            series = history.histograms[f"{group}/{name}"]
            tail = _TAILS[group]
            _draw_ridges(grid[place], series, tail)
            if place % _columns(len(chosen)) == 0:
                _label_time(grid[place], series, time)
            grid[place].set_title(shortened(name, _NAME_LETTERS), **_NAME_STYLE)
        some = f"{len(chosen)} of {len(names)} parameters" if len(chosen) < len(names) else ""
        _write_heading(figure, group, some, interval_text(history, "snapshots"))
        canvas.finish(figure, [])
    return figure


def choose(history: History, group: str, names: list[str]) -> list[str]:
    """At most twelve parameters, evenly from first to last, large ones where there are many.

    The large ones are weights; biases and norms are left out first.
    """
    if len(names) <= _MOST_PANELS:
        return names
    sizes = np.array([history.histograms[f"{group}/{name}"].number.max() for name in names])
    large = [name for name, size in zip(names, sizes, strict=True) if size >= np.median(sizes)]
    places = np.linspace(0, len(large) - 1, min(_MOST_PANELS, len(large))).round().astype(int)
    return [large[place] for place in places]


_NAME_STYLE: dict[str, Any] = {
    "x": 0.0,
    "ha": "left",
    "fontsize": 8.5,
    "fontweight": "normal",
    "pad": 4.0,
}


def _columns(count: int) -> int:
    return min(_COLUMNS, count)


def _grid(count: int) -> tuple[Figure, list[Axes]]:
    columns = _columns(count)
    rows = -(-count // columns)
    width = {1: 5.0, 2: 6.4}.get(columns, 7.6)
    figure = canvas.new_figure((width, 0.55 + (2.0 if rows > 1 else 2.6) * rows))
    axes = figure.subplots(rows, columns, squeeze=False).ravel()
    for unused in axes[count:]:
        unused.set_visible(False)
    return figure, list(axes[:count])


def _draw_ridges(ax: Axes, series: HistogramSeries, tail: float) -> None:
    rows = _snapshots(series)
    low, high = value_range(series, rows, tail)
    grid = np.linspace(low, high, _GRID)
    colours = style.ramp(current().time)(np.linspace(0.0, 1.0, max(len(rows), 2)))
    for level, row in enumerate(rows):
        shares = density(series, int(row), grid)
        height = shares / (shares.max() or 1.0) * (_OVERLAP if len(rows) > 1 else 1.0)
        # Time goes down, so that the newest distribution is in front and hides the least.
        base, order = float(-level), 2 + 2 * level
        ax.fill_between(grid, base, base + height, color=colours[level], lw=0, zorder=order)
        ax.plot(grid, base + height, color=current().paper, linewidth=0.6, zorder=order + 1)
    _set_ridge_axes(ax, low, high, len(rows))


def _snapshots(series: HistogramSeries) -> NDArray[np.int64]:
    known = np.flatnonzero(series.number > 0)
    places = np.linspace(0, len(known) - 1, min(len(known), _MOST_RIDGES))
    return np.asarray(known[places.round().astype(int)], np.int64)


def _set_ridge_axes(ax: Axes, low: float, high: float, ridges: int) -> None:
    ax.set_xlim(low, high)
    ax.set_ylim(-(ridges - 1) - 0.35, (_OVERLAP if ridges > 1 else 1.0) + 0.2)
    ax.set_yticks([])
    ax.spines["left"].set_visible(False)
    ax.grid(visible=False)
    ax.xaxis.set_major_locator(MaxNLocator(nbins=5, steps=[1, 2, 2.5, 5, 10]))
    ax.xaxis.set_major_formatter(PlainNumbers())
    if low < 0 < high:
        ax.axvline(0.0, color=current().rule, linewidth=0.6, zorder=1)


def _label_time(ax: Axes, series: HistogramSeries, time: TimeAxis) -> None:
    rows = _snapshots(series)
    shown = np.linspace(0, len(rows) - 1, min(len(rows), 5)).round().astype(int)
    ax.set_yticks(
        [-float(level) for level in shown],
        labels=[_moment(series, rows[level], time) for level in shown],
    )
    ax.set_ylabel(time.label)


def _moment(series: HistogramSeries, row: int, time: TimeAxis) -> str:
    epoch = int(series.epoch[row])
    if series.step[row] == 0:
        return "start"
    return str(epoch) if time.label == "Epoch" and epoch >= 0 else whole(int(series.step[row]))


def _write_heading(figure: Figure, group: str, *notes: str) -> None:
    figure.suptitle(
        ", ".join([f"{group} over time", *filter(None, notes)]),
        x=0.015,
        ha="left",
        fontsize=style.TITLE_POINTS,
        fontweight="bold",
    )
