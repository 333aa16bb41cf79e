"""The horizontal axis of a run: completed steps, read in epochs where the loop has them."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import TYPE_CHECKING

import numpy as np
from matplotlib.ticker import MaxNLocator
from numpy.typing import NDArray

from autotrack.reports.palette import current
from autotrack.reports.scales import Steps, whole
from autotrack.series import HistogramSeries, Series, VectorSeries

if TYPE_CHECKING:
    from matplotlib.axes import Axes

    from autotrack.history import History
    from autotrack.reports.tags import Curve

Floats = NDArray[np.float64]
Integers = NDArray[np.int64]
AnySeries = Series | HistogramSeries | VectorSeries

# More lines between trainings than these say no more.
_MOST_LINES = 20
# x of these is the step before which the value was taken; of others, the steps completed by then.
_PER_STEP = ("Loss/train/", "GradNorm/", "LearningRate/", "UpdateRatio/")


@dataclass(frozen=True)
class Epochs:
    """Epochs of one stream: numbers and first steps, of shape [epochs], and its completed steps."""

    numbers: Integers
    starts: Integers
    total: int

    @property
    def one_step_each(self) -> bool:
        """Whether every epoch has exactly one step."""
        ends = np.append(self.starts[1:], self.total)
        return bool(len(self.starts) and self.starts[0] == 0 and np.all(ends - self.starts == 1))


@dataclass(frozen=True)
class TimeAxis:
    """Places of a run's points along the horizontal axis.

    Positions are the first stream's completed steps; another stream's steps are placed by the
    epochs they fall in. Where every epoch is one step, positions are epoch numbers. `streams` holds
    the epochs of each stream and is empty where the run has none.
    """

    streams: dict[str, Epochs]
    total: int
    # Where trainings after the first begin, in completed steps of the first stream.
    trainings: Integers = field(default_factory=lambda: np.empty(0, np.int64))

    @classmethod
    def of(cls, history: History) -> TimeAxis:
        """The axis of a run."""
        names = history.streams or [""]
        totals = {name: _completed_steps(history, name) for name in names}
        later = history.trainings.get(names[0], np.empty(0, np.int64))
        if not history.has_epochs:
            return cls({}, max(totals.values()), later)
        epochs = {name: Epochs(*history.epoch_starts(name), totals[name]) for name in names}
        epochs = {name: found for name, found in epochs.items() if len(found.starts)}
        main = next(iter(epochs.values()), None)
        return cls(epochs, main.total if main else max(totals.values()), later)

    @property
    def mean(self) -> str:
        """What a mean over several steps is called; without epochs it is over a hundred, say."""
        return "epoch mean" if self.streams else "mean"

    @property
    def epochs(self) -> Epochs | None:
        """The epochs of the first stream."""
        return next(iter(self.streams.values()), None)

    @property
    def by_epoch(self) -> bool:
        """Whether every epoch is exactly one step, so that the axis is simply the epoch number."""
        return bool(self.streams) and all(epochs.one_step_each for epochs in self.streams.values())

    @property
    def label(self) -> str:
        """What the axis counts."""
        return "Epoch" if self.streams else "Step"

    def at(self, series: AnySeries, stream: str = "") -> Floats:
        """Positions of the points of a series, shape [n]."""
        epochs = self.epochs
        if epochs is None or not self.by_epoch:
            return self.of_steps(series.step, stream)
        by_step = self.at_steps(series.step, stream)
        return np.where(series.epoch >= 0, series.epoch, by_step).astype(np.float64)

    def at_steps(self, steps: Integers, stream: str = "") -> Floats:
        """Positions of a stream's completed steps, shape [n]."""
        epochs = self.epochs
        if epochs is None or not self.by_epoch:
            return self.of_steps(steps, stream)
        placed: Floats = np.interp(steps, epochs.starts, epochs.numbers)
        return placed

    def of_steps(self, steps: Integers, stream: str = "") -> Floats:
        """Positions of a stream's completed steps on an axis of steps, shape [n]."""
        own, main = self.streams.get(stream), self.epochs
        if own is None or main is None or own is main:
            return steps.astype(np.float64)
        shared, ours, theirs = np.intersect1d(own.numbers, main.numbers, return_indices=True)
        if not len(shared):
            return steps.astype(np.float64)
        known = np.append(own.starts[ours], own.total)
        places = np.append(main.starts[theirs], main.total)
        placed: Floats = np.interp(steps, known, places)
        return placed

    def start_of(self, curve: Curve) -> float:
        """Position at which the epoch that a curve's first point closes began."""
        epochs = self.streams.get(curve.stream)
        if epochs is None:
            return 0.0
        index = np.searchsorted(epochs.starts, curve.series.step[0]) - 1
        return float(self.of_steps(epochs.starts[max(index, 0)][None], curve.stream)[0])

    def moment(self, series: Series, index: int) -> str:
        """When a point was taken: `epoch 3`, or `step 1,234` for one of many in an epoch."""
        epoch = int(series.epoch[index])
        if epoch >= 0 and (self.by_epoch or not is_per_step(series.tag)):
            return f"epoch {epoch}"
        return f"step {whole(int(series.step[index]))}"

    def set_on(self, ax: Axes, labels: int = 12) -> None:
        """Set limits, ticks and label of the horizontal axis, with about `labels` tick labels."""
        ax.set_xlabel(self.label)
        ax.set_xlim(*self.limits())
        for place in self.lines_between():
            ax.axvline(place, color=current().soft_ink, linewidth=1.0, linestyle="--", zorder=1)
        epochs = self.epochs
        if epochs is None or self.by_epoch:
            ax.xaxis.set_major_locator(
                MaxNLocator(nbins=labels - 2, integer=True, min_n_ticks=1, steps=[1, 2, 5, 10])
            )
            ax.xaxis.set_major_formatter(Steps())
        elif len(epochs.starts) <= labels:
            _tick_spans(ax, epochs, labels)
        else:
            _tick_starts(ax, epochs, labels)

    def partings(self) -> Floats:
        """Positions at which trainings of new weights begin: between two epochs of one step."""
        return self.at_steps(self.trainings) - (0.5 if self.by_epoch else 0.0)

    def parted(self, x: Floats, y: Floats, *, done: bool) -> tuple[Floats, Floats]:
        """Break a line where trainings of new weights begin.

        With `done` its points stand where what they are of is done, else where a step begins.
        """
        index = self.splits(x, done=done)
        return np.insert(x, index, self.partings()), np.insert(y, index, np.nan)

    def splits(self, x: Floats, *, done: bool) -> NDArray[np.intp]:
        """Return the indices into points at `x` at which trainings of new weights begin."""
        return np.searchsorted(x, self.partings(), "right" if done else "left")

    def lines_between(self) -> Floats:
        """Positions of lines between trainings: all, if they are few enough to say something."""
        places = self.partings()
        return places if len(places) <= _MOST_LINES else places[:0]

    def limits(self) -> tuple[float, float]:
        """The ends of the horizontal axis, with a little room."""
        epochs = self.epochs
        if self.by_epoch and epochs is not None:
            low, high = float(epochs.numbers[0]), float(epochs.numbers[-1])
        else:
            low, high = 0.0, float(max(self.total, 1))
        room = 0.015 * (high - low) if high - low > 1 else 0.5
        return low - room, high + room


def is_per_step(tag: str) -> bool:
    """Whether the points of a tag are one a step, each taken before its step was completed."""
    return f"{tag}/".startswith(_PER_STEP)


def _completed_steps(history: History, stream: str) -> int:
    steps = 0
    for tag, series in history.series.items():
        if len(series) and (not stream or stream in tag.split("/")):
            steps = max(steps, int(series.step.max()) + is_per_step(tag))
    return steps


def _tick_spans(ax: Axes, epochs: Epochs, labels: int) -> None:
    edges = np.append(epochs.starts, epochs.total)
    centres = (edges[:-1] + edges[1:]) / 2
    kept = _apart(centres, max(epochs.total, 1) / (1.5 * labels))
    ax.set_xticks(edges, labels=[""] * len(edges))
    ax.set_xticks(
        centres[kept], labels=[str(number) for number in epochs.numbers[kept]], minor=True
    )
    ax.tick_params(axis="x", which="minor", length=0, pad=4)
    ax.grid(visible=True, axis="x", which="major", linewidth=0.6)


def _tick_starts(ax: Axes, epochs: Epochs, labels: int) -> None:
    span = int(epochs.numbers[-1] - epochs.numbers[0])
    stride = next(s * 10**p for p in range(20) for s in (1, 2, 5) if span / (s * 10**p) <= labels)
    round_numbers = np.flatnonzero(epochs.numbers % stride == 0)
    kept = round_numbers[
        _apart(epochs.starts[round_numbers], max(epochs.total, 1) / (1.5 * labels))
    ]
    ax.set_xticks(epochs.starts[kept], labels=[str(number) for number in epochs.numbers[kept]])


def _apart(places: Floats | Integers, distance: float) -> Integers:
    """Indices of the places that are at least `distance` right of the one kept before."""
    kept: list[int] = []
    for index, place in enumerate(places):
        if not kept or place - places[kept[-1]] >= distance:
            kept.append(index)
    return np.array(kept, dtype=np.int64)
