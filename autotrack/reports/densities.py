"""Smooth outlines of histograms whose buckets are wide and few."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np

if TYPE_CHECKING:
    from numpy.typing import NDArray

    from autotrack.series import HistogramSeries

    Floats = NDArray[np.float64]


def value_range(
    series: HistogramSeries, rows: NDArray[np.int64], tail: float
) -> tuple[float, float]:
    """The values between which all but a part `tail` at either end of each given histogram lies."""
    ends = [_quantiles(*_cumulative(series, int(row)), tail) for row in rows if series.number[row]]
    if not ends:
        return -1.0, 1.0
    low, high = min(low for low, _ in ends), max(high for _, high in ends)
    room = 0.06 * (high - low) or 0.1 * abs(low) or 1.0
    return low - room, high + room


def density(series: HistogramSeries, row: int, grid: Floats) -> Floats:
    """Share of the values around each point of an even grid, shape [len(grid)]; sums to at most 1.

    The cumulative count is exact at the edges of buckets and interpolated between them by a
    monotone cubic; the result is then smoothed by a narrow Gaussian, as values within a bucket are
    known no better.
    """
    if not series.number[row]:
        return np.zeros(len(grid))
    edges, shares = _cumulative(series, row)
    spacing = grid[1] - grid[0]
    borders = np.append(grid - spacing / 2, grid[-1] + spacing / 2)
    return _blurred(np.diff(monotone(edges, shares, borders)))


def monotone(x: Floats, y: Floats, at: Floats) -> Floats:
    """Interpolate increasing `y` over increasing `x` by cubics that never overshoot.

    Slopes at the points are the harmonic means of their neighbours' (Fritsch and Butland, 1984);
    outside, the curve stays at its ends.
    """
    gaps, rises = np.diff(x), np.diff(y)
    chords = rises / gaps
    slopes = np.zeros(len(x))
    total = chords[:-1] + chords[1:]
    inner = np.divide(
        2 * chords[:-1] * chords[1:], total, out=np.zeros(len(total)), where=total > 0
    )
    slopes[1:-1] = inner
    at = np.clip(at, x[0], x[-1])
    i = np.clip(np.searchsorted(x, at, side="right") - 1, 0, len(gaps) - 1)
    t = (at - x[i]) / gaps[i]
    start = (1 + 2 * t) * (1 - t) ** 2 * y[i] + t * (1 - t) ** 2 * gaps[i] * slopes[i]
    return start + t**2 * (3 - 2 * t) * y[i + 1] + t**2 * (t - 1) * gaps[i] * slopes[i + 1]


def _cumulative(series: HistogramSeries, row: int) -> tuple[Floats, Floats]:
    """Edges of the buckets, narrowed to the values' range, and the share of values below each."""
    limits, counts = series.limits[row], series.counts[row]
    low, high = float(series.minimum[row]), float(series.maximum[row])
    # A constant is drawn as narrow as its own rounding.
    width = max(high - low, 1e-6 * max(abs(low), abs(high)), 1e-30)
    edges = np.clip(limits, low, high)
    edges = np.concatenate([[low - 1e-3 * width], edges])
    edges[-1] = high + 1e-3 * width
    shares = np.concatenate([[0.0], np.cumsum(counts)]) / counts.sum()
    distinct = np.append(np.diff(edges) > 0, True)
    return edges[distinct], np.maximum.accumulate(shares)[distinct]


def _quantiles(edges: Floats, shares: Floats, tail: float) -> tuple[float, float]:
    low, high = np.interp([tail, 1 - tail], shares, edges)
    return float(low), float(high)


def _blurred(shares: Floats) -> Floats:
    width = max(1.0, len(shares) / 90)
    reach = int(3 * width)
    kernel = np.exp(-0.5 * (np.arange(-reach, reach + 1) / width) ** 2)
    return np.convolve(shares, kernel / kernel.sum(), mode="same")
