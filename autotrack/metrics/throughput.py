"""Throughput of training: steps and samples a second, evaluation not counted."""

from __future__ import annotations

import time
from bisect import bisect_left
from typing import TYPE_CHECKING, Any, ClassVar

from autotrack.events import EvaluationBatchSeen, StepTaken
from autotrack.keeper import Keeper, Steps
from autotrack.metrics._metric import Metric, Surroundings

if TYPE_CHECKING:
    from collections.abc import Iterator

    from autotrack.events import TrainBatch

    #: What is to be written, by tag.
    Numbers = list[tuple[str, float]]

_INTERVAL = 1.0


class Throughput(Metric):
    """`Throughput/steps_per_second` and `Throughput/samples_per_second`, about once a second."""

    listens: ClassVar[dict[type, str]] = {
        StepTaken: "step_taken",
        EvaluationBatchSeen: "evaluating",
    }

    def __init__(self, surroundings: Surroundings) -> None:
        super().__init__(surroundings)
        self._stream: Any = None
        self._last: float | None = None
        self._busy = 0.0
        self._steps = 0
        self._samples: int | None = 0

    def settle(self, pattern: Any) -> Keeper:
        """Measure over many steps at once, where theirs is the stream that is measured."""
        return _Pace(self, pattern.samples) if pattern.stream is self._stream else Keeper()

    def evaluating(self, moment: EvaluationBatchSeen) -> None:
        """Leave the time of an evaluation out."""
        self._last = None

    def step_taken(self, moment: StepTaken) -> None:
        """Measure from step to step of the run's first stream."""
        if self._stream is None:
            self._stream = moment.stream
        if moment.stream is not self._stream:
            return
        # Further groups are other losses of the same samples.
        samples = _samples_in(moment.groups[0] if moment.groups else [])
        moment.row.scalars += self._measure(time.perf_counter(), 1, samples)

    def steps_taken(self, size: int | None, ends: list[float]) -> Iterator[tuple[int, Numbers]]:
        """Measure steps of `size` samples that ended so; yield what is due, by the step's index."""
        first = 0
        while first < len(ends):
            last = first
            if self._last is not None:
                due = self._last + _INTERVAL - self._busy
                last = min(bisect_left(ends, due, first), len(ends) - 1)
            steps = last + 1 - first
            samples = None if size is None else size * steps
            if found := self._measure(ends[last], steps, samples):
                yield last, found
            first = last + 1

    def _measure(self, end: float, steps: int, samples: int | None) -> Numbers:
        if self._last is not None:
            self._busy += end - self._last
            self._steps += steps
            known = self._samples is not None and samples is not None
            self._samples = self._samples + samples if known else None  # type: ignore[operator]
        self._last = end
        return self._due()

    def _due(self) -> Numbers:
        if self._busy < _INTERVAL:
            return []
        found = [("Throughput/steps_per_second", self._steps / self._busy)]
        if self._samples:
            found.append(("Throughput/samples_per_second", self._samples / self._busy))
        self._busy, self._steps, self._samples = 0.0, 0, 0
        return found


class _Pace(Keeper):
    """Measures whole steps."""

    def __init__(self, metric: Throughput, size: int | None) -> None:
        self._metric, self._size = metric, size

    def fold(self, steps: Steps) -> None:
        """Measure them."""
        for index, found in self._metric.steps_taken(self._size, steps.ends):
            steps.block.extra.setdefault(index, []).extend(found)


def _samples_in(batches: list[TrainBatch]) -> int | None:
    """Return the samples of a step; a loader's batch that several backward calls share once."""
    samples, shared = 0, set()
    for batch in batches:
        if batch.size is None or batch.apart:
            return None
        if batch.drawn is None or batch.drawn not in shared:
            samples += batch.size
        shared.add(batch.drawn)
    return samples
