"""What a record holds, by tag: numbers, histograms and vectors over the course of a run."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np

if TYPE_CHECKING:
    from numpy.typing import NDArray


@dataclass(frozen=True, eq=False)
class Series:
    """The points of one scalar tag, in the order in which they were written.

    All arrays have shape [n]: `x` as recorded (a step or an epoch), `step` (completed optimizer
    steps), `epoch` (-1 where unknown), `time` (unix seconds) and `value` (float32, may be NaN or
    infinite).
    """

    tag: str
    x: NDArray[np.int64]
    step: NDArray[np.int64]
    epoch: NDArray[np.int64]
    time: NDArray[np.float64]
    value: NDArray[np.float32]

    def __len__(self) -> int:
        return len(self.value)


@dataclass(frozen=True, eq=False)
class HistogramSeries:
    """The histograms of one tag over time, in the order in which they were written.

    `step`, `epoch` (-1 where unknown) and `time` have shape [n]. `counts[i][j]` values lie between
    `limits[i][j - 1]` (`minimum[i]` for the first) and `limits[i][j]`, and none above `maximum[i]`;
    a tensor without finite values has no buckets. Of the finite values, `minimum` and `maximum`
    (NaN where there is none), `number`, `total` and `total_squares` (NaN where the file does not
    tell) have shape [n]; `nonfinite` has shape [n, 3]: how many NaN, +inf and -inf.
    """

    tag: str
    step: NDArray[np.int64]
    epoch: NDArray[np.int64]
    time: NDArray[np.float64]
    limits: list[NDArray[np.float64]]
    counts: list[NDArray[np.float64]]
    minimum: NDArray[np.float64]
    maximum: NDArray[np.float64]
    number: NDArray[np.int64]
    total: NDArray[np.float64]
    total_squares: NDArray[np.float64]
    nonfinite: NDArray[np.int64]

    def __len__(self) -> int:
        return len(self.step)

    def on_grid(
        self, n_bins: int = 100, low: float | None = None, high: float | None = None
    ) -> tuple[NDArray[np.float64], NDArray[np.float64]]:
        """Bring all histograms onto one grid of equal bins, to draw them together.

        Returns edges [n_bins + 1] from `low` to `high` (default: the smallest minimum and the
        largest maximum of the series) and counts [n, n_bins]. Within a bucket the values are taken
        as spread evenly; values outside the grid are not counted. Raises ValueError where `low` is
        not below `high`.
        """
        edges = np.linspace(*self._range(low, high), n_bins + 1)
        # the outermost edges belong to the grid: count what lies at them
        inclusive = edges.copy()
        inclusive[0] = np.nextafter(edges[0], -np.inf)
        below = [self._number_below(index, inclusive) for index in range(len(self))]
        return edges, np.diff(np.reshape(below, (len(self), n_bins + 1)), axis=1)

    def _range(self, low: float | None, high: float | None) -> tuple[float, float]:
        known = ~np.isnan(self.minimum)
        least = float(self.minimum[known].min()) if known.any() else 0.0
        most = float(self.maximum[known].max()) if known.any() else 0.0
        if low is None and high is None and least == most:
            # a constant has no width of its own
            margin = abs(least) / 2 or 0.5
            return least - margin, most + margin
        low = least if low is None else low
        high = most if high is None else high
        if not low < high:
            raise ValueError(f"low ({low}) must be below high ({high})")
        return low, high

    def _number_below(self, index: int, edges: NDArray[np.float64]) -> NDArray[np.float64]:
        """How many values of one histogram lie below each of `edges`."""
        limits, counts = self.limits[index], self.counts[index]
        if not len(limits):
            return np.zeros(len(edges))
        least, most = self.minimum[index], self.maximum[index]
        positions = np.concatenate([[least], np.clip(limits, least, most)])
        # the last bucket ends at the maximum, wherever its limit is
        positions[-1] = most
        reached = np.concatenate([[0.0], np.cumsum(counts)])
        below: NDArray[np.float64] = np.interp(edges, positions, reached, left=0.0)
        return below


@dataclass(frozen=True, eq=False)
class ConfusionSeries:
    """How often samples of each class were taken for each class, pass by pass.

    `step`, `epoch` (-1 where unknown) and `time` have shape [n]; `counts` (int64) has shape
    [n, classes, classes]: rows are labels, columns predictions.
    """

    phase: str
    step: NDArray[np.int64]
    epoch: NDArray[np.int64]
    time: NDArray[np.float64]
    counts: NDArray[np.int64]

    def __len__(self) -> int:
        return len(self.step)

    @property
    def accuracy(self) -> NDArray[np.float64]:
        """Percent of the samples of each pass on the diagonal, shape [n]; NaN without samples."""
        correct = np.trace(self.counts, axis1=1, axis2=2)
        total = self.counts.sum(axis=(1, 2))
        percent = np.full(len(self), np.nan)
        np.divide(100.0 * correct, total, out=percent, where=total > 0)
        return percent


@dataclass(frozen=True, eq=False)
class VectorSeries:
    """One number a parameter over time, such as `autotrack/update_ratio`.

    `step`, `epoch` (-1 where unknown) and `time` have shape [n]; `value` (float32) has shape
    [n, len(names)] and is NaN where a parameter was not recorded; `names` are the parameters.
    """

    tag: str
    step: NDArray[np.int64]
    epoch: NDArray[np.int64]
    time: NDArray[np.float64]
    value: NDArray[np.float32]
    names: list[str]

    def __len__(self) -> int:
        return len(self.step)
