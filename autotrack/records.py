"""What is kept of a run: plain numbers, histograms and text, each at its place on the x axis.

Histogram bins are fixed and logarithmic: edges at plus and minus 2^e and 1.5 * 2^e, two bins an
octave, and one bin around zero. The bin of a float32 value is read off its bits (sign, exponent and
top mantissa bit), so a device counts a tensor with a shift and a bincount, and histograms of
different moments share their edges.
"""

from __future__ import annotations

import math
from dataclasses import dataclass, field, replace
from functools import lru_cache
from typing import TYPE_CHECKING

import numpy as np

if TYPE_CHECKING:
    from numpy.typing import NDArray

# float32 bits >> 22: sign bit, eight exponent bits, top mantissa bit
BIT_CODES = 1024

_SIGN = 512
_NONFINITE = 510
_EXPONENT_BIAS = 127
_SMALLEST_NORMAL_EXPONENT = -126
_OCTAVES_KEPT = 12


@dataclass(slots=True)
class Histogram:
    """The distribution of the finite values of one tensor at one moment.

    `counts[i]` values lie between `limits[i - 1]` (`minimum` for the first) and `limits[i]`;
    `limits` is strictly increasing. `number`, `total` and `total_squares` are count, sum and sum of
    squares of the finite values, `minimum` and `maximum` their range (NaN when there is none).
    `nonfinite` counts NaN, +inf and -inf.
    """

    limits: NDArray[np.float64]
    counts: NDArray[np.float64]
    minimum: float
    maximum: float
    number: int
    total: float
    total_squares: float
    nonfinite: tuple[int, int, int] = (0, 0, 0)


EMPTY_HISTOGRAM = Histogram(np.empty(0), np.empty(0), np.nan, np.nan, 0, 0.0, 0.0)


@dataclass(slots=True)
class GraphNode:
    """One box of TensorBoard's graph: `name` is its path, `inputs` the names of what feeds it.

    `shape` is that of its output, where it is known.
    """

    name: str
    operation: str
    inputs: list[str] = field(default_factory=list)
    shape: tuple[int, ...] | None = None


@dataclass(slots=True)
class Record:
    """Everything recorded at one `x` (a step or an epoch) and `time` (unix seconds): one event.

    `scalars` are kept as float32. `texts` are Markdown for TensorBoard's text tab. `hidden` values
    (numeric arrays, a text or a list of texts) are for autotrack's own reader: no TensorBoard tab
    draws them. `hyperparameters` fill TensorBoard's HParams tab; one record of a run has them.
    `images` are [height, width, 3] of bytes. `curves` are precision-recall curves, [6, thresholds]:
    true and false positives, true and false negatives, precision, recall. `layout` names, by
    category and chart title, the patterns of tags that one chart shows together. `graph`, of which
    a run has one, becomes an event of its own. `ended` says how the run did (`success` or
    `failure`).
    """

    x: int
    time: float
    scalars: list[tuple[str, float]] = field(default_factory=list)
    histograms: list[tuple[str, Histogram]] = field(default_factory=list)
    texts: list[tuple[str, str]] = field(default_factory=list)
    hidden: list[tuple[str, NDArray[np.generic] | str | list[str]]] = field(default_factory=list)
    hyperparameters: dict[str, bool | float | str] = field(default_factory=dict)
    images: list[tuple[str, NDArray[np.uint8]]] = field(default_factory=list)
    curves: list[tuple[str, NDArray[np.float64]]] = field(default_factory=list)
    layout: dict[str, dict[str, list[str]]] = field(default_factory=dict)
    graph: list[GraphNode] = field(default_factory=list)
    ended: str = ""

    @property
    def has_only_numbers(self) -> bool:
        """Whether there are scalars or hidden int64 arrays in it, and nothing else."""
        for _, value in self.hidden:
            if getattr(value, "dtype", None) != np.int64:
                return False
        return bool(self.scalars or self.hidden) and not (
            self.histograms
            or self.texts
            or self.hyperparameters
            or self.images
            or self.curves
            or self.layout
            or self.graph
            or self.ended
        )


def histogram_from_bit_counts(  # noqa: PLR0917 - one statistic each
    counts: NDArray[np.int64],
    minimum: float,
    maximum: float,
    total: float,
    total_squares: float,
    nonfinite: tuple[int, int, int] = (0, 0, 0),
    floor_exponent: int | None = None,
) -> Histogram:
    """Turn the counts of a tensor's bit codes into a `Histogram`.

    `counts` has 1024 entries: how many float32 values have each code `(bits >> 22) & 1023`; the
    codes of NaN and infinity are left out. The other numbers are over the finite values only.
    Magnitudes below `2 ** floor_exponent` (default: twelve octaves below the power of two at or
    under the largest magnitude) and denormals are counted in the bin around zero. Raises ValueError
    for any other number of codes.
    """
    if len(counts) != BIT_CODES:
        raise ValueError(f"expected {BIT_CODES} bit code counts, got {len(counts)}")
    positive, negative = counts[:_NONFINITE], counts[_SIGN : _SIGN + _NONFINITE]
    number = int(positive.sum() + negative.sum())
    if number == 0:
        return replace(EMPTY_HISTOGRAM, nonfinite=nonfinite)
    last = _code_of(max(abs(minimum), abs(maximum)))
    if floor_exponent is None:
        floor_exponent = (last >> 1) - _EXPONENT_BIAS - _OCTAVES_KEPT
    first = _first_code(floor_exponent)
    below, above = negative[first : last + 1].tolist(), positive[first : last + 1].tolist()
    zero = number - sum(below) - sum(above)
    limits, bins = _occupied(_limits(first, last), [*reversed(below), zero, *above])
    return Histogram(limits, bins, minimum, maximum, number, total, total_squares, nonfinite)


def _code_of(magnitude: float) -> int:
    """Return the code, without its sign, of a magnitude of float32; 0 for zero and denormals."""
    if not magnitude:
        return 0
    fraction, exponent = math.frexp(magnitude)
    return max(2 * (exponent - 1 + _EXPONENT_BIAS) + (fraction >= 0.75), 0)  # noqa: PLR2004 - 1.5 / 2


def _first_code(exponent: int) -> int:
    clamped = min(max(exponent, _SMALLEST_NORMAL_EXPONENT), _EXPONENT_BIAS)
    return 2 * (clamped + _EXPONENT_BIAS)


def _magnitude(code: int) -> float:
    """Return the smallest magnitude of a code, of normal numbers up to 2^128."""
    return math.ldexp(1 + (code & 1) / 2, (code >> 1) - _EXPONENT_BIAS)


@lru_cache(maxsize=512)
def _limits(first: int, last: int) -> list[float]:
    """Right edges of the bins of codes `last` to `first` below zero, of zero, and back again."""
    edges = [_magnitude(code) for code in range(first, max(last, first - 1) + 2)]
    return [-edge for edge in reversed(edges[:-1])] + edges


def _occupied(
    limits: list[float], bins: list[int]
) -> tuple[NDArray[np.float64], NDArray[np.float64]]:
    """Return the occupied bins, and one empty bin in each gap: it states the left edge of the next.

    None before the first: TensorBoard would draw it from the minimum backwards.
    """
    edges: list[float] = []
    counts: list[int] = []
    for edge, count, following in zip(limits, bins, [*bins[1:], 0], strict=True):
        if count or (following and counts):
            edges.append(edge)
            counts.append(count)
    return np.array(edges, np.float64), np.array(counts, np.float64)
