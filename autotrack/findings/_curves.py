"""What rules measure on a curve: its noise, its levels, and whether it fell."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

Floats = NDArray[np.float64]

# Noise is read from second differences.
_SHORTEST = 3
# The start and the end of a curve are the medians of this share of it, of a few points at least.
_EDGE = 0.1
_FEWEST = 3
# Less than this share of where it began is no fall worth the name.
_SLIGHT = 0.05
_CELLS = 20
# A normal distribution's standard deviation over its median absolute deviation.
_MAD = 1.4826


def noise(y: Floats) -> float:
    """Standard deviation of independent noise on a curve of finite values.

    It is estimated from second differences: a straight slope counts as no noise, and single jumps
    count for little in their median.
    """
    if len(y) < _SHORTEST:
        return 0.0
    return float(_MAD * np.median(np.abs(np.diff(y, 2))) / np.sqrt(6.0))


def spread(y: Floats) -> float:
    """Standard deviation by the median absolute deviation, for outliers to count little."""
    return float(_MAD * np.median(np.abs(y - np.median(y)))) if len(y) else 0.0


def cells(y: Floats, number: int = _CELLS) -> Floats:
    """The medians of equal stretches of a curve, at most `number` of them."""
    if len(y) <= number:
        return y
    return np.array([np.median(part) for part in np.array_split(y, number)])


def calm(y: Floats, width: int = 3) -> Floats:
    """The running median of a curve over `width` points (odd); its ends are taken to go on."""
    padded = np.pad(y, width // 2, mode="edge")
    smooth: Floats = np.median(np.lib.stride_tricks.sliding_window_view(padded, width), axis=1)
    return smooth


def surroundings(y: Floats, width: int) -> Floats:
    """The level around each point of a long curve: medians of stretches of `width`, joined."""
    number = max(1, len(y) // width)
    centres = [float(part.mean()) for part in np.array_split(np.arange(len(y)), number)]
    return np.interp(np.arange(len(y)), centres, cells(y, number))


@dataclass(frozen=True)
class Levels:
    """Where a curve began, where it ended, and its lowest level; `doubt` is by what they may err.

    Levels are medians of stretches.
    """

    start: float
    end: float
    best: float
    doubt: float

    @property
    def fell(self) -> bool:
        """Whether the curve ever came down from its start by more than doubt and a trifle."""
        return self.start - self.best > max(3 * self.doubt, _SLIGHT * abs(self.start))


def levels(y: Floats) -> Levels:
    """Return the levels of a curve of at least one finite value."""
    edge = max(min(_FEWEST, len(y)), round(_EDGE * len(y)))
    start, end = float(np.median(y[:edge])), float(np.median(y[-edge:]))
    best = min(start, end, float(cells(y).min()))
    return Levels(start, end, best, noise(y) / float(np.sqrt(edge)))
