"""Curves as SVG paths in a square of 1000 by 1000 that the page stretches to its own size."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np

from autotrack.reports.decimation import kept_indices

if TYPE_CHECKING:
    from numpy.typing import NDArray

    Floats = NDArray[np.float64]

SIDE = 1000
_BUCKETS = 350


def path(x: Floats, y: Floats) -> str:
    """A line through points given as shares of the square, y upwards; it has gaps at NaN."""
    if len(y) > 4 * _BUCKETS:
        kept = kept_indices(y, _BUCKETS)
        x, y = x[kept], y[kept]
    places = np.round(SIDE * np.column_stack([x, 1 - y]), 1)
    parts, pen_is_down = [], False
    for point in places.tolist():
        drawn = point[1] == point[1]
        if drawn:
            parts.append(f"{'L' if pen_is_down else 'M'}{point[0]:g} {point[1]:g}")
        pen_is_down = drawn
    return "".join(parts)


def dots(x: Floats, y: Floats) -> str:
    """A dot at every point; drawn as strokes without length, so that they stay round."""
    places = np.round(SIDE * np.column_stack([x, 1 - y]), 1)
    finite = places[np.isfinite(places).all(axis=1)]
    return "".join(f"M{a:g} {b:g}h.01" for a, b in finite.tolist())


def outline(x: Floats, y: Floats, base: float) -> str:
    """A closed area between a line and the height `base`, in units of the square, y downwards."""
    points = " ".join(f"{a:g} {b:g}" for a, b in np.round(np.column_stack([x, y]), 1).tolist())
    return f"M{x[0]:g} {base:g}L{points}L{x[-1]:g} {base:g}Z"
