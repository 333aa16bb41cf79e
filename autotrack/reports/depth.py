"""One number a parameter over time: a line each, coloured from the first layer to the last."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np
from matplotlib.cm import ScalarMappable
from matplotlib.colors import to_hex

from autotrack.reports import style
from autotrack.reports.curves import draw_line, drawable, name_line
from autotrack.reports.palette import current
from autotrack.reports.smoothing import needs_smoothing, smooth

if TYPE_CHECKING:
    from matplotlib.colors import LinearSegmentedColormap
    from numpy.typing import NDArray

    from autotrack.history import History
    from autotrack.reports.panel import Panel
    from autotrack.series import VectorSeries

    Floats = NDArray[np.float64]

_MOST_NAMES = 8
_POINTS = 300
_NAME_LETTERS = 22


@dataclass(frozen=True)
class Layers:
    """The vectors of one kind of a stream's parameters."""

    series: VectorSeries
    stream: str


def layers_of(history: History, tag: str) -> list[Layers]:
    """The vectors under a tag, one series a stream; empty where none has a drawable value."""
    found = []
    for stream in history.streams:
        series = history.vectors.get(f"{tag}/{stream}" if stream else tag)
        if series is not None and (np.isfinite(series.value) & (series.value > 0)).any():
            found.append(Layers(series, stream))
    return found


def positive_values(layers: list[Layers]) -> Floats:
    """All values that a logarithmic axis can show."""
    values = np.concatenate([one.series.value.ravel() for one in layers]).astype(np.float64)
    return values[np.isfinite(values) & (values > 0)]


def fill_layers(panel: Panel, layers: list[Layers]) -> None:
    """Draw a line a parameter on a logarithmic axis, thin raw values under a smoothed line."""
    lines = [(one, index) for one in layers for index in range(len(one.series.names))]
    colours = _colours(len(lines))
    few = len(lines) <= _MOST_NAMES and not panel.small
    for (one, index), colour in zip(lines, colours, strict=True):
        x = panel.time.at(one.series, one.stream)
        y = drawable(one.series.value[:, index], log=True)
        x, y = _draw_parameter(panel, x, y, colour, len(lines))
        if few:
            name = one.series.names[index]
            text = f"{one.stream}: {name}" if len(layers) > 1 else name
            name_line(panel, shortened(text, _NAME_LETTERS), x, y, colour)
    if not few:
        _draw_key(panel)


def never_positive(layers: list[Layers]) -> int:
    """How many parameters had no value above zero at any time: those that were never updated."""
    return sum(int((~(one.series.value > 0).any(axis=0)).sum()) for one in layers)


def shortened(name: str, letters: int) -> str:
    """A name in at most so many letters; what is left out of its middle is `…`."""
    if len(name) <= letters:
        return name
    head = (letters - 1) // 3
    return f"{name[:head]}…{name[len(name) - (letters - 1 - head) :]}"


def _draw_parameter(
    panel: Panel, x: Floats, y: Floats, colour: str, lines: int
) -> tuple[Floats, Floats]:
    line = panel.time.parted(x, y, done=False)
    if not needs_smoothing(np.log10(y)):
        draw_line(panel, *line, colour, width=1.2, buckets=_POINTS)
        return x, y
    calm = smooth(x, y, log=True, splits=panel.time.splits(x, done=False))
    draw_line(
        panel,
        *line,
        colour,
        width=0.5,
        alpha=0.25 if lines <= _MOST_NAMES else 0.12,
        buckets=_POINTS,
    )
    parted = panel.time.parted(calm.x, calm.y, done=False)
    panel.ax.plot(*parted, zorder=3, **style.stroke(colour, 1.3))
    return calm.x, calm.y


def _colours(count: int) -> list[str]:
    return [to_hex(colour) for colour in _colour_map()(np.linspace(0.0, 1.0, max(count, 2)))][
        :count
    ]


def _colour_map() -> LinearSegmentedColormap:
    return style.ramp(current().depth)


def _draw_key(panel: Panel) -> None:
    """A strip of the colours beside the panel, from the first parameter to the last."""
    colours = ScalarMappable(cmap=_colour_map())
    strip = panel.figure.colorbar(colours, ax=panel.ax, aspect=28, pad=0.02, ticks=[0.0, 1.0])
    strip.ax.set_yticklabels(["first\nlayer", "last\nlayer"])
    strip.ax.tick_params(length=0)
    first, last = strip.ax.get_yticklabels()
    first.set_verticalalignment("bottom")
    last.set_verticalalignment("top")
    strip.outline.set_visible(False)
