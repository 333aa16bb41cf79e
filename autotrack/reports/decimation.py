"""Thinning of long curves for drawing, so that no spike is lost."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

Floats = NDArray[np.float64]


def decimate(x: Floats, y: Floats, buckets: int = 1200) -> tuple[Floats, Floats]:
    """Thin a curve to a few points a bucket, so that it looks the same and no spike is lost.

    `x` and `y` have shape [n] and are cut into `buckets` runs of equally many points. Of each stay
    the first, the last, the lowest, the highest and the first that is not finite, in their order.
    A curve of at most four points a bucket comes back as it is.
    """
    if len(y) <= 4 * buckets:
        return x, y
    kept = kept_indices(y, buckets)
    return x[kept], y[kept]


def kept_indices(y: Floats, buckets: int) -> NDArray[np.int64]:
    """Indices, increasing, of the points that `decimate` keeps."""
    size = -(-len(y) // buckets)
    rows = -(-len(y) // size)
    padded = np.full(rows * size, np.nan)
    padded[: len(y)] = y
    table = padded.reshape(rows, size)
    finite = np.isfinite(table)
    first = np.arange(rows) * size
    chosen = [
        first,
        np.minimum(first + size, len(y)) - 1,
        first + np.argmin(np.where(finite, table, np.inf), axis=1),
        first + np.argmax(np.where(finite, table, -np.inf), axis=1),
        first + np.argmin(finite, axis=1),
    ]
    # What fills up the last bucket is NaN and may be chosen as its first point that is not finite.
    return np.unique(np.minimum(np.concatenate(chosen), len(y) - 1))
