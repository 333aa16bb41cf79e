"""A calmer line through a noisy curve, drawn on top of it and never instead of it."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from autotrack.findings import noise

Floats = NDArray[np.float64]

_LONG = 300
# Noise is read from second differences.
_SHORTEST = 3
_NOISY = 0.03
_CELLS = 1500


@dataclass(frozen=True)
class Smoothed:
    """A smoothed curve at fewer places: each value is a weighted mean of points within `reach`."""

    x: Floats
    y: Floats
    reach: int


def needs_smoothing(y: Floats) -> bool:
    """Whether a curve of shape [n] is long and noisy."""
    return int(np.isfinite(y).sum()) >= _LONG and is_noisy(y)


def is_noisy(y: Floats) -> bool:
    """Whether the noise from point to point is a visible part of a curve's spread."""
    y = y[np.isfinite(y)]
    if len(y) < _SHORTEST:
        return False
    low, high = np.percentile(y, [2, 98])
    return bool(noise(y) > _NOISY * (high - low) > 0)


def smooth(
    x: Floats, y: Floats, *, log: bool = False, splits: NDArray[np.intp] | None = None
) -> Smoothed:
    """Smooth a curve of shape [n] by a mean with the weights of a Hann window.

    The window reaches a twenty-fifth of the curve to either side, and over none of the `splits`,
    the indices at which something else begins. Points that are not finite are left out of every
    mean, and the line has a gap where none is left. `log` asks for the geometric mean instead of
    the arithmetic one.
    """
    if log:
        calm = smooth(x, np.log10(y), splits=splits)
        return Smoothed(calm.x, 10.0**calm.y, calm.reach)
    cell = -(-len(y) // _CELLS)
    half = max(2, round(-(-len(y) // cell) / 25))
    at = np.empty(0, np.intp) if splits is None else splits
    pieces = [
        _smoothed(*piece, cell, half)
        for piece in zip(np.split(x, at), np.split(y, at), strict=True)
        if len(piece[0])
    ]
    places, means = zip(*pieces, strict=True)
    return Smoothed(np.concatenate(places), np.concatenate(means), half * cell)


def _smoothed(x: Floats, y: Floats, cell: int, half: int) -> tuple[Floats, Floats]:
    """Return places and means; each of `cell` points, weighted over `half` so many to a side."""
    sums, counts = _cell_sums(y, cell)
    centres, _ = _cell_sums(x, cell)
    sizes = np.diff(np.append(np.arange(0, len(y), cell), len(y)))
    window = np.hanning(2 * half + 3)[1:-1]
    weights = _spread(counts, window)
    with np.errstate(invalid="ignore", divide="ignore"):
        means = _spread(sums, window) / weights
    means[counts == 0] = np.nan
    return centres / sizes, means


def _spread(values: Floats, window: Floats) -> Floats:
    # `mode="same"` is as long as the longer of the two.
    half = len(window) // 2
    spread: Floats = np.convolve(values, window)[half : half + len(values)]
    return spread


def _cell_sums(y: Floats, cell: int) -> tuple[Floats, Floats]:
    finite = np.isfinite(y)
    starts = np.arange(0, len(y), cell)
    sums = np.add.reduceat(np.where(finite, y, 0.0), starts)
    return sums, np.add.reduceat(finite.astype(np.float64), starts)
