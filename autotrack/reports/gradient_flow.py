"""Figure: how large the gradient is in each layer, from first to last, over time."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import numpy as np
from matplotlib.colors import LogNorm
from matplotlib.ticker import FixedLocator, NullLocator

from autotrack.reports import canvas, style
from autotrack.reports.depth import Layers, layers_of, shortened
from autotrack.reports.intervals import say_interval
from autotrack.reports.palette import current
from autotrack.reports.panel import Panel
from autotrack.reports.positions import TimeAxis
from autotrack.reports.scales import PowersOfTen, log_ticks

if TYPE_CHECKING:
    from matplotlib.figure import Figure
    from numpy.typing import NDArray

    from autotrack.history import History
    from autotrack.series import VectorSeries

    Floats = NDArray[np.float64]

_FEWEST_LAYERS = 2
_MOST_NAMES = 24
_NAME_LETTERS = 24
_MOST_COLUMNS = 1200
_FEWER_NAMES, _FEWER_LETTERS = 8, 10
# Inches: what a panel needs beside its rows, and the rows of all panels at most.
_EMPTY, _TALLEST = 1.4, 4.9
_MOST_STREAMS = 4


@dataclass(frozen=True)
class Flow:
    """The layers of one stream: their names, and norms of shape [n, layers]."""

    layers: Layers
    names: list[str]
    norms: Floats

    @property
    def known(self) -> Floats:
        """The norms that have a colour."""
        return self.norms[np.isfinite(self.norms) & (self.norms > 0)]


def draw(history: History) -> Figure | None:
    """Draw a row a layer and a column a snapshot, coloured by gradient norm; None without any.

    Every optimizer of several has a panel of its own.
    """
    flows = _flows(history)
    if not flows:
        return None
    shown = flows[:_MOST_STREAMS]
    heights = [_EMPTY + min(0.2 * len(flow.names) + 0.3, _TALLEST / len(shown)) for flow in shown]
    with style.applied():
        figure = canvas.new_figure((style.SIZE[0], max(sum(heights), 2.6)))
        axes = figure.subplots(len(shown), 1, height_ratios=heights, squeeze=False)[:, 0]
        time = TimeAxis.of(history)
        panels = [Panel(ax, time) for ax in axes]
        for panel, flow in zip(panels, shown, strict=True):
            _fill(panel, flow)
            say_interval(panel, history, "snapshots")
        left = len(flows) - len(shown)
        if left:
            panels[-1].ax.set_xlabel(f"{time.label} · {left} more optimizers are not shown")
        canvas.finish(figure, panels)
    return figure


def exists(history: History) -> bool:
    """Whether the record holds the norms of a single optimizer's layers, and enough of them."""
    flows = _flows(history)
    return len(history.streams) == 1 and bool(flows) and len(flows[0].names) > _FEWEST_LAYERS


def fill(panel: Panel, history: History) -> None:
    """Draw the gradient flow of the first optimizer into a panel."""
    for flow in _flows(history)[:1]:
        _fill(panel, flow)


def _flows(history: History) -> list[Flow]:
    found = [
        Flow(layers, *by_layer(layers.series))
        for layers in layers_of(history, "autotrack/gradient_norm")
    ]
    return [flow for flow in found if len(flow.names) >= _FEWEST_LAYERS and len(flow.known)]


def _fill(panel: Panel, flow: Flow) -> None:
    without = int((~(flow.norms > 0).any(axis=0)).sum())
    stream = f", {flow.layers.stream}" if flow.layers.stream else ""
    panel.set_title(f"Gradient Flow{stream}", f"{without} without gradient" if without else "")
    _draw_cells(panel, flow)
    _name_rows(panel, flow.names)


def by_layer(series: VectorSeries) -> tuple[list[str], Floats]:
    """Names of the layers and the norm of each over its parameters, shape [n, layers].

    A layer is what stands before the last dot of a parameter's name. NaN where none was recorded.
    """
    layers = [name.rpartition(".")[0] or name for name in series.names]
    names = list(dict.fromkeys(layers))
    squares = series.value.astype(np.float64) ** 2
    norms = np.full((len(series), len(names)), np.nan)
    for index, layer in enumerate(names):
        own = squares[:, [other == layer for other in layers]]
        known = np.isfinite(own).any(axis=1)
        norms[known, index] = np.sqrt(np.nansum(own[known], axis=1))
    return names, norms


def _draw_cells(panel: Panel, flow: Flow) -> None:
    norms, known = flow.norms, flow.known
    stride = -(-len(norms) // _MOST_COLUMNS)
    places = panel.time.at(flow.layers.series, flow.layers.stream)[::stride]
    low, high = np.percentile(known, [1, 99])
    norm = LogNorm(low, max(1.5 * low, high), clip=True)
    colours = style.ramp(current().heat)
    # What is exactly zero has no place on a logarithmic scale: it is left without a colour.
    shown = np.where(norms > 0, norms, np.nan)[::stride].T
    panel.set_time()
    panel.ax.grid(visible=False)
    cells = panel.ax.pcolormesh(
        _edges(places),
        np.arange(norms.shape[1] + 1) - 0.5,
        shown,
        cmap=colours,
        norm=norm,
        linewidth=0,
        rasterized=True,
    )
    panel.ax.set_facecolor(current().grid)
    panel.ax.spines[:].set_visible(False)
    low_edge, high_edge = _edges(places)[[0, -1]]
    panel.ax.set_xlim(min(low_edge, panel.time.limits()[0]), max(high_edge, panel.time.limits()[1]))
    strip = panel.figure.colorbar(cells, ax=panel.ax, aspect=24, pad=0.015)
    strip.ax.yaxis.set_major_locator(
        FixedLocator(log_ticks(float(np.log10(low)), float(np.log10(high))))
    )
    strip.ax.yaxis.set_major_formatter(PowersOfTen())
    strip.ax.yaxis.set_minor_locator(NullLocator())
    strip.ax.tick_params(length=0, which="both")
    strip.set_label("" if panel.small else "Gradient norm (L2)")
    strip.outline.set_visible(False)


def _edges(places: Floats) -> Floats:
    """Borders half way between the places of snapshots, shape [n + 1]."""
    if len(places) == 1:
        return np.array([places[0] - 0.5, places[0] + 0.5])
    middles = (places[1:] + places[:-1]) / 2
    first = places[0] - (places[1] - places[0]) / 2
    last = places[-1] + (places[-1] - places[-2]) / 2
    return np.concatenate([[max(first, 0.0)], middles, [last]])


def _name_rows(panel: Panel, names: list[str]) -> None:
    most, letters = (_FEWER_NAMES, _FEWER_LETTERS) if panel.small else (_MOST_NAMES, _NAME_LETTERS)
    stride = -(-len(names) // most)
    shown = list(range(0, len(names), stride))
    labels: list[Any] = [shortened(names[row], letters) for row in shown]
    panel.ax.set_yticks(shown, labels=labels)
    panel.ax.set_ylim(len(names) - 0.5, -0.5)
    panel.set_value_label("Layer, first to last")
