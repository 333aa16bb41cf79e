"""Gradients that were still there when the next step's backward began: nobody cleared them."""

from __future__ import annotations

import math
from typing import TYPE_CHECKING, Any, ClassVar

from autotrack.dtensors import is_spread
from autotrack.events import BackwardAhead, StepTaken
from autotrack.keeper import Keeper
from autotrack.metrics._metric import Metric, Surroundings
from autotrack.metrics._norms import norm_of
from autotrack.metrics.gradients import gradients_of
from autotrack.pending import when_known

if TYPE_CHECKING:
    from autotrack.row import Value

# After that many steps, and after each power of two, one look.
_FIRST = 4


class CarriedGradients(Metric):
    """`GradNorm/carried`: the norm of the gradients that a step's first backward found.

    After the first steps and at powers of two, and only where there were gradients: normally they
    were cleared. Of several backward calls before a step the least counts, since another
    optimizer's loss may leave gradients that are cleared before the step's own. Not unscaled.
    """

    listens: ClassVar[dict[type, str]] = {BackwardAhead: "backward_ahead", StepTaken: "step_taken"}

    def __init__(self, surroundings: Surroundings) -> None:
        super().__init__(surroundings)
        self._looking: dict[Any, Value | None] = {}

    def settle(self, pattern: Any) -> Keeper | None:
        """Have nothing to keep up to the step after which it looks again."""
        if self._looking:
            return None
        keeper = Keeper()
        # Of so many steps taken the next power of two is the one after which it looks.
        keeper.until = (1 << pattern.stream.steps.bit_length()) - 1
        return keeper

    def backward_ahead(self, moment: BackwardAhead) -> None:
        """Look at what the streams' gradients hold before anything is added."""
        for stream in moment.streams:
            if stream in self._looking and not _is_zero(self._looking[stream]):
                self._looking[stream] = _least(self._looking[stream], self._held(stream))

    def step_taken(self, moment: StepTaken) -> None:
        """Write what the step's first backward found, and look again where it is due."""
        if self._looking:
            carried = self._looking.pop(moment.stream, None)
            self.surroundings.looked_at.discard(moment.stream)
            found = None if carried is None else when_known(_unless_zero, carried)
            if found is not None:
                moment.row.add("GradNorm/carried", found)
        taken = moment.step + 1
        if taken < _FIRST or taken & (taken - 1) == 0:
            self._looking[moment.stream] = None
            self.surroundings.looked_at.add(moment.stream)

    def _held(self, stream: Any) -> Value:
        gradients = gradients_of(stream)
        if any(is_spread(g) for g in gradients):
            return 0.0
        norm = norm_of(gradients, self.surroundings.transfer)
        return 0.0 if norm is None else norm


def _is_zero(value: Value | None) -> bool:
    return isinstance(value, float) and value == 0.0


def _least(known: Value | None, value: Value) -> Value:
    if known is None:
        return value
    least: Value = when_known(_smaller, known, value)
    return least


def _smaller(known: float, value: float) -> float:
    return min(known, value) if not math.isnan(known) else value


def _unless_zero(norm: float) -> float | None:
    return norm or None
