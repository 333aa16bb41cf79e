"""What a reader looks for in a curve: its lowest and highest point and its sharp drops."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np
from numpy.typing import NDArray

from autotrack.reports.curves import ring
from autotrack.reports.palette import current
from autotrack.reports.panel import Note, Panel
from autotrack.reports.scales import MINUS, number
from autotrack.reports.smoothing import noise
from autotrack.reports.style import letters

if TYPE_CHECKING:
    from autotrack.reports.tags import Curve

Floats = NDArray[np.float64]

_CELLS = 400
_SHARP = 0.25
_WINDOW = 50
_AROUND = 5
_MOST_DROPS = 3
_SHORTEST = 3
# Below this share of what it was, a value is said to be divided by a number.
_TINY = 0.01


@dataclass(frozen=True)
class Drop:
    """A sharp fall from level `before` to level `after`, reached at the point of index `end`."""

    end: int
    before: float
    after: float


def mark_extreme(
    panel: Panel,
    curve: Curve,
    x: Floats,
    y: Floats,
    word: str,
    *,
    highest: bool = False,
    unit: str = "",
) -> None:
    """Mark the lowest (or highest) drawn point of a curve by a ring, its value and its moment."""
    shown = y[np.isfinite(y)]
    if not len(shown):
        return
    best = int(np.nanargmax(y) if highest else np.nanargmin(y))
    ring(panel, float(x[best]), float(y[best]), curve.colour)
    value = number(float(curve.series.value[best])) + unit
    if len(shown) == 1:
        text = value
    elif shown.min() == shown.max():
        text = f"constant {value}"
    elif panel.small:
        text = f"{word} {value}"
    else:
        text = f"{word} {value} · {panel.time.moment(curve.series, best)}"
    panel.notes.append(
        Note(text, float(x[best]), float(y[best]), letters(curve.colour), rank=9, needed=True)
    )


def mark_drops(panel: Panel, x: Floats, y: Floats, *, log: bool = False) -> None:
    """Mark the few largest sharp drops of a curve by an arrow and how much was lost."""
    for drop in sharp_drops(y, log=log):
        place = float(x[drop.end])
        arrow = {
            "arrowstyle": "-|>,head_width=0.18,head_length=0.35",
            "color": current().ink,
            "linewidth": 0.9,
            "shrinkA": 0,
            "shrinkB": 0,
        }
        panel.ax.annotate("", (place, drop.after), (place, drop.before), arrowprops=arrow, zorder=5)
        middle = np.sqrt(drop.before * drop.after) if log else (drop.before + drop.after) / 2
        panel.notes.append(Note(_loss_of(drop), place, float(middle), rank=2))


def _loss_of(drop: Drop) -> str:
    if drop.after < 0:
        return number(drop.after - drop.before, 2)
    share = drop.after / drop.before
    return f"÷ {number(1 / share, 2)}" if 0 < share < _TINY else f"{MINUS}{100 * (1 - share):.0f} %"


def sharp_drops(y: Floats, *, log: bool = False) -> list[Drop]:
    """The largest sharp drops of a curve of shape [n]: at most three, the largest first.

    A drop is sharp where the curve falls by a quarter of its drawn range within a fiftieth of its
    length, by far more than its noise, from a level it held to a level it keeps; on a logarithmic
    axis all this is in decades. Long curves are first reduced to medians of equal runs.
    """
    shown = np.flatnonzero(np.isfinite(y))
    if len(shown) < _SHORTEST:
        return []
    cells = _medians(np.log10(y[shown]) if log else y[shown])
    drops = []
    for start, end in _sharp_falls(cells):
        first = shown[round(end * len(shown) / len(cells))]
        before, after = (10.0**cells if log else cells)[[start, end]]
        drops.append(Drop(int(first), float(before), float(after)))
    return drops


def _medians(y: Floats) -> Floats:
    if len(y) <= _CELLS:
        return y
    return np.array([np.median(part) for part in np.array_split(y, _CELLS)])


def _sharp_falls(y: Floats) -> list[tuple[int, int]]:
    window = max(1, len(y) // _WINDOW)
    falls = y[:-window] - y[window:]
    least = max(_SHARP * float(y.max() - y.min()), 8.0 * noise(y))
    found: list[tuple[int, int]] = []
    for start in np.argsort(-falls, kind="stable"):
        if falls[start] <= least or len(found) == _MOST_DROPS:
            break
        fall = _narrowed(y, int(start), int(start) + window)
        clear = all(abs(fall[0] - other) > 2 * window for other, _ in found)
        if clear and _holds(y, *fall):
            found.append(fall)
    return found


def _narrowed(y: Floats, start: int, end: int) -> tuple[int, int]:
    """The shortest stretch within start..end in which most of the fall happens."""
    for width in range(1, end - start):
        falls = y[start : end + 1 - width] - y[start + width : end + 1]
        if falls.max() >= 0.8 * (y[start] - y[end]):
            best = start + int(falls.argmax())
            return best, best + width
    return start, end


def _holds(y: Floats, start: int, end: int) -> bool:
    """Whether the levels before and after the fall last, so that it is no spike's flank."""
    fall = y[start] - y[end]
    before = float(np.median(y[max(0, start - _AROUND) : start + 1]))
    after = float(np.median(y[end : end + _AROUND]))
    return bool(before > y[start] - 0.3 * fall and after < y[end] + 0.3 * fall)
