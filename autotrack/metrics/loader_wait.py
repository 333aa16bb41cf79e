"""How much of the training time the loop spent waiting for the loader."""

from __future__ import annotations

import time
from typing import Any, ClassVar

from autotrack.events import BatchAwaited, EvaluationBatchSeen, StepTaken
from autotrack.metrics._metric import Metric, Surroundings

_INTERVAL = 1.0


class LoaderWait(Metric):
    """`Throughput/loader_wait`: percent of the time between steps, about once a second.

    Without a point where no batch came from a DataLoader; evaluation is not counted.
    """

    listens: ClassVar[dict[type, str]] = {
        BatchAwaited: "batch_awaited",
        EvaluationBatchSeen: "evaluating",
        StepTaken: "step_taken",
    }

    def __init__(self, surroundings: Surroundings) -> None:
        super().__init__(surroundings)
        self._stream: Any = None
        self._last: float | None = None
        self._awaited: float | None = None
        self._waiting = 0.0
        self._busy = 0.0

    def batch_awaited(self, moment: BatchAwaited) -> None:
        """Count a wait for the next step."""
        self._awaited = (self._awaited or 0.0) + moment.seconds

    def evaluating(self, moment: EvaluationBatchSeen) -> None:
        """Leave the time of an evaluation out."""
        self._last = self._awaited = None

    def step_taken(self, moment: StepTaken) -> None:
        """Measure from step to step of the run's first stream."""
        if self._stream is None:
            self._stream = moment.stream
        if moment.stream is not self._stream:
            return
        now = time.perf_counter()
        awaited, self._awaited = self._awaited, None
        if self._last is not None and awaited is not None:
            self._busy += now - self._last
            self._waiting += awaited
        self._last = now
        if self._busy >= _INTERVAL:
            moment.row.add("Throughput/loader_wait", 100 * self._waiting / self._busy)
            self._busy = self._waiting = 0.0
