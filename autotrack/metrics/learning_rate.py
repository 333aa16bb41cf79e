"""The learning rate of every parameter group, as used in the step."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, ClassVar

import torch

from autotrack.events import StepBegan, StepTaken
from autotrack.metrics._metric import Metric, Surroundings

if TYPE_CHECKING:
    from autotrack.row import Value


class LearningRate(Metric):
    """`LearningRate/group0`, `LearningRate/group1`, ... at every step."""

    listens: ClassVar[dict[type, str]] = {StepBegan: "step_began", StepTaken: "step_taken"}

    def __init__(self, surroundings: Surroundings) -> None:
        super().__init__(surroundings)
        self._rates: dict[Any, list[Value | None]] = {}
        self._tags: list[str] = []

    def step_began(self, moment: StepBegan) -> None:
        """Read the rates before a scheduler can change them."""
        self._rates[moment.stream] = [self._rate(g) for g in moment.optimizer.param_groups]

    def step_taken(self, moment: StepTaken) -> None:
        """Write the rates of the step."""
        rates = self._rates.pop(moment.stream, ())
        while len(self._tags) < len(rates):
            self._tags.append(f"LearningRate/group{len(self._tags)}")
        for tag, rate in zip(self._tags, rates, strict=False):
            if rate is not None:
                moment.row.add(tag, rate)

    def _rate(self, group: dict[str, Any]) -> Value | None:
        rate = group.get("lr")
        if type(rate) is float:
            return rate
        if isinstance(rate, torch.Tensor):
            return self.surroundings.transfer.value(rate)
        return None if rate is None else float(rate)
