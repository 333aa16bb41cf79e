"""Sharp drops of a curve: falls from a level that it held to a level that it keeps."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from autotrack.findings._curves import noise

Floats = NDArray[np.float64]

_CELLS = 400
_SHARP = 0.25
_WINDOW = 50
_AROUND = 5
_MOST_DROPS = 3
_SHORTEST = 3
# So much of what follows a drop may be above half its way.
_ABOVE = 0.05


@dataclass(frozen=True)
class Drop:
    """A sharp fall from level `before` to level `after`, reached at the point of index `end`."""

    end: int
    before: float
    after: float


def drops_of(y: Floats, *, log: bool = False, lasting: bool = True) -> list[Drop]:
    """The largest sharp drops of a curve of shape [n]: at most three, the largest first.

    A drop is sharp where the curve falls by a quarter of its drawn range within a fiftieth of its
    length, by far more than its noise, from a level it held to a level it keeps; on a logarithmic
    axis all this is in decades. Long curves are first reduced to medians of equal runs. With
    `lasting`, a curve that later is above half the way again, as one that swings, has not dropped.
    """
    shown = np.flatnonzero(np.isfinite(y))
    if len(shown) < _SHORTEST:
        return []
    cells = _medians(np.log10(y[shown]) if log else y[shown])
    drops = []
    for start, end in _sharp_falls(cells):
        halfway = (cells[start] + cells[end]) / 2
        if lasting and np.mean(cells[end:] > halfway) > _ABOVE:
            continue
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
