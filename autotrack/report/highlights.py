"""What a reader looks for in a curve: its lowest and highest point and its sharp drops."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from autotrack.report.curves import ring
from autotrack.report.panel import Note, Panel
from autotrack.report.scales import number
from autotrack.report.smoothing import noise
from autotrack.report.style import INK, SOFT_INK, letters
from autotrack.report.tags import Curve

Floats = NDArray[np.float64]

_CELLS = 400
_SHARP = 0.25
_WINDOW = 50
_AROUND = 5
_MOST_DROPS = 3


@dataclass(frozen=True)
class Drop:
    """A sharp fall between two points of a curve, given by their indices."""

    start: int
    end: int


def mark_extreme(panel: Panel, curve: Curve, x: Floats, y: Floats, word: str, highest: bool = False) -> None:
    """Mark the lowest (or highest) drawn point of a curve by a ring and its value, and say when it was."""
    if not np.isfinite(y).any():
        return
    best = int(np.nanargmax(y) if highest else np.nanargmin(y))
    ring(panel, float(x[best]), float(y[best]), curve.colour)
    value = number(float(curve.series.value[best]))
    text = f"{word} {value}" if panel.small else f"{word} {value} · {panel.time.moment(curve.series, best)}"
    panel.notes.append(Note(text, float(x[best]), float(y[best]), letters(curve.colour), rank=9, needed=True))


def mark_drops(panel: Panel, x: Floats, y: Floats, log: bool) -> None:
    """Mark the few largest sharp drops of a curve by an arrow and how much of the value was lost."""
    for drop in sharp_drops(y, log):
        before, after = y[drop.start], y[drop.end]
        arrow = {"arrowstyle": "-|>,head_width=0.18,head_length=0.35", "color": INK, "linewidth": 0.9,
                 "shrinkA": 0, "shrinkB": 0}  # fmt: skip
        panel.ax.annotate("", (x[drop.end], after), (x[drop.end], before), arrowprops=arrow, zorder=5)
        change = f"−{100 * (before - after) / before:.0f} %" if after >= 0 else f"−{number(before - after, 2)}"
        panel.notes.append(Note(change, float(x[drop.end]), float((before + after) / 2), SOFT_INK, rank=2))


def sharp_drops(y: Floats, log: bool = False) -> list[Drop]:
    """The largest sharp drops of a curve of shape [n], at most three, in the order of their size.

    A drop is sharp where the curve falls by a quarter of its drawn range within a fiftieth of its length, by far more than
    its noise, from a level it held to a level it keeps; on a logarithmic axis all this is in decades. Long curves are
    first reduced to medians of equal runs.
    """
    shown = np.flatnonzero(np.isfinite(y))
    if len(shown) < 3:
        return []
    cells = _medians(np.log10(y[shown]) if log else y[shown])
    edges = np.linspace(0, len(shown) - 1, len(cells)).round().astype(int)
    return [Drop(int(shown[edges[a]]), int(shown[edges[b]])) for a, b in _sharp_falls(cells)]


def _medians(y: Floats) -> Floats:
    if len(y) <= _CELLS:
        return y
    return np.array([np.median(part) for part in np.array_split(y, _CELLS)])


def _sharp_falls(y: Floats) -> list[tuple[int, int]]:
    window = max(1, len(y) // _WINDOW)
    falls = y[:-window] - y[window:]
    least = max(_SHARP * float(y.max() - y.min()), 8.0 * noise(y))
    found: list[tuple[int, int]] = []
    for start in np.argsort(-falls):
        if falls[start] <= least or len(found) == _MOST_DROPS:
            break
        clear = all(abs(start - other) > 2 * window for other, _ in found)
        if clear and _holds(y, int(start), int(start) + window):
            found.append((int(start), int(start) + window))
    return found


def _holds(y: Floats, start: int, end: int) -> bool:
    """Whether the level before the fall and the level after it last, so that it is no spike's flank."""
    fall = y[start] - y[end]
    before = float(np.median(y[max(0, start - _AROUND) : start + 1]))
    after = float(np.median(y[end : end + _AROUND]))
    return before > y[start] - 0.3 * fall and after < y[end] + 0.3 * fall
