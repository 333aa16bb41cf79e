"""How much of the training time the loop spent waiting for the loader."""

from __future__ import annotations

import time
from collections import deque
from typing import TYPE_CHECKING, Any, ClassVar

from autotrack.events import BatchAwaited, EvaluationBatchSeen, StepTaken
from autotrack.keeper import Keeper, Steps
from autotrack.metrics._metric import Metric, Surroundings

if TYPE_CHECKING:
    from autotrack.events import CriterionCall

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

    def settle(self, pattern: Any) -> Keeper:
        """Measure over many steps at once, where theirs is the stream that is measured."""
        return _Waits(self) if pattern.stream is self._stream else _WaitsOfOthers(self)

    def batch_awaited(self, moment: BatchAwaited) -> None:
        """Count a wait for the next step."""
        self.waits_for_step(moment.seconds)

    def evaluating(self, moment: EvaluationBatchSeen) -> None:
        """Leave the time of an evaluation out."""
        self._last = self._awaited = None

    def step_taken(self, moment: StepTaken) -> None:
        """Measure from step to step of the run's first stream."""
        if self._stream is None:
            self._stream = moment.stream
        if moment.stream is not self._stream:
            return
        awaited, self._awaited = self._awaited, None
        for tag, value in self.steps_taken(awaited, time.perf_counter()):
            moment.row.add(tag, value)

    def steps_taken(self, awaited: float | None, end: float) -> list[tuple[str, float]]:
        """Measure up to `end` with so many seconds waited; return what is to be written."""
        if self._last is not None and awaited is not None:
            self._busy += end - self._last
            self._waiting += awaited
        self._last = end
        if self._busy < _INTERVAL:
            return []
        share = 100 * self._waiting / self._busy
        self._busy = self._waiting = 0.0
        return [("Throughput/loader_wait", share)]

    def waits_for_step(self, seconds: float) -> None:
        """A batch was waited for whose step has not ended."""
        self._awaited = (self._awaited or 0.0) + seconds


class _WaitsOfOthers(Keeper):
    """Leaves all waits for the next step of the stream that is measured."""

    wants_batch: ClassVar[bool] = True

    def __init__(self, metric: LoaderWait) -> None:
        self._metric = metric

    def batch(self, seconds: float) -> None:
        """Count a wait."""
        self._metric.waits_for_step(seconds)


class _Waits(Keeper):
    """Keeps each wait with the moment at which it was over: that tells which step it was for."""

    wants_batch: ClassVar[bool] = True

    def __init__(self, metric: LoaderWait) -> None:
        self._metric = metric
        self._waits: deque[tuple[float, float]] = deque()

    def batch(self, seconds: float) -> None:
        """Count a wait."""
        self._waits.append((time.perf_counter(), seconds))

    def fold(self, steps: Steps) -> None:
        """Measure whole steps."""
        waits = self._waits
        if not waits:
            # Nothing can be due: these steps only say from when on there are times.
            self._metric.steps_taken(None, steps.ends[-1])
            return
        for index, end in enumerate(steps.ends):
            waited = None
            while waits and waits[0][0] < end:
                waited = (waited or 0.0) + waits.popleft()[1]
            if found := self._metric.steps_taken(waited, end):
                steps.block.extra.setdefault(index, []).extend(found)

    def end(self, calls: list[CriterionCall], *, in_step: bool) -> None:
        """Leave the waits for a step that has not ended."""
        for _, seconds in self._waits:
            self._metric.waits_for_step(seconds)
