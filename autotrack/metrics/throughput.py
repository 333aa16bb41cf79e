"""Throughput of training: steps and samples a second, evaluation not counted."""

from __future__ import annotations

import time
from typing import Any, ClassVar

from autotrack.events import EvaluationBatchSeen, StepTaken
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
        if self._busy >= _INTERVAL:
            self._write(moment)

    def _write(self, moment: StepTaken) -> None:
        moment.row.add("Throughput/steps_per_second", self._steps / self._busy)
        if self._samples:
            moment.row.add("Throughput/samples_per_second", self._samples / self._busy)
        self._busy, self._steps, self._samples = 0.0, 0, 0
