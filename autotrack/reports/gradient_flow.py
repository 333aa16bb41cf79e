"""Figure: how large the gradient is in each layer, from first to last, over time."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import numpy as np
from matplotlib.colors import LogNorm
from matplotlib.ticker import FixedLocator, NullLocator

from autotrack.reports import canvas, style
from autotrack.reports.depth import layers_of, shortened
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


def draw(history: History) -> Figure | None:
    """Draw a row a layer and a column a snapshot, coloured by gradient norm; None without any."""
    series = _series(history)
    if series is None:
        return None
    names, norms = by_layer(series)
    known = norms[np.isfinite(norms) & (norms > 0)]
    if len(names) < _FEWEST_LAYERS or not len(known):
        return None
    with style.applied():
        height = 1.3 + min(0.2 * len(names) + 0.6, 4.6)
        figure = canvas.new_figure((style.SIZE[0], max(height, 2.6)))
        panel = Panel(figure.add_subplot(), TimeAxis.of(history))
        without = int((~(norms > 0).any(axis=0)).sum())
        panel.set_title("Gradient Flow", f"{without} without gradient" if without else "")
        _draw_cells(panel, series, norms, known)
        _name_rows(panel, names)
        canvas.finish(figure, [panel])
    return figure


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


def _series(history: History) -> VectorSeries | None:
    layers = layers_of(history, "autotrack/gradient_norm")
    return layers[0].series if layers else None


def _draw_cells(panel: Panel, series: VectorSeries, norms: Floats, known: Floats) -> None:
    stride = -(-len(norms) // _MOST_COLUMNS)
    places = panel.time.at(series)[::stride]
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
    strip.set_label("Gradient norm (L2)")
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
    stride = -(-len(names) // _MOST_NAMES)
    shown = list(range(0, len(names), stride))
    labels: list[Any] = [shortened(names[row], _NAME_LETTERS) for row in shown]
    panel.ax.set_yticks(shown, labels=labels)
    panel.ax.set_ylim(len(names) - 0.5, -0.5)
    panel.ax.set_ylabel("Layer, first to last")
