"""Throughput of training: steps and samples a second, evaluation not counted."""

from __future__ import annotations

import time
from typing import Any, ClassVar

from autotrack.events import EvaluationBatchSeen, StepTaken
from autotrack.keeper import Keeper
from autotrack.metrics._metric import Metric, Surroundings

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

    def settle(self, pattern: Any) -> Keeper | None:
        """Measure over many steps at once, where theirs is the stream that is measured."""
        return _Pace(self, pattern.size) if pattern.stream is self._stream else None

    def evaluating(self, moment: EvaluationBatchSeen) -> None:
        """Leave the time of an evaluation out."""
        self._last = None

    def step_taken(self, moment: StepTaken) -> None:
        """Measure from step to step of the run's first stream."""
        if self._stream is None:
            self._stream = moment.stream
        if moment.stream is not self._stream:
            return
        now = time.perf_counter()
        if self._last is not None:
            self._busy += now - self._last
            self._steps += 1
            for batch in moment.batches:
                if self._samples is not None:
                    self._samples = None if batch.size is None else self._samples + batch.size
        self._last = now
        for tag, value in self._due():
            moment.row.add(tag, value)

    def steps_taken(self, size: int, ends: list[float]) -> list[tuple[str, float]]:
        """Measure steps of `size` samples that ended so; return what is to be written, by tag."""
        if self._last is not None:
            self._busy += ends[-1] - self._last
            self._steps += len(ends)
            if self._samples is not None:
                self._samples += size * len(ends)
        self._last = ends[-1]
        return self._due()

    def _due(self) -> list[tuple[str, float]]:
        if self._busy < _INTERVAL:
            return []
        found = [("Throughput/steps_per_second", self._steps / self._busy)]
        if self._samples:
            found.append(("Throughput/samples_per_second", self._samples / self._busy))
        self._busy, self._steps, self._samples = 0.0, 0, 0
        return found


class _Pace(Keeper):
    """Adds what is due to the last of some steps."""

    def __init__(self, metric: Throughput, size: int) -> None:
        self._metric, self._size = metric, size

    def fold(self, block: Any, losses: list[float], ends: list[float]) -> None:
        """Measure them."""
        block.last += self._metric.steps_taken(self._size, ends)
