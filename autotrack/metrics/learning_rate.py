"""The learning rate of every parameter group, as used in the step."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, ClassVar

import torch

from autotrack.events import StepBegan, StepTaken
from autotrack.keeper import Keeper, Steps
from autotrack.metrics._metric import Metric, Surroundings

if TYPE_CHECKING:
    from autotrack.events import CriterionCall
    from autotrack.row import Value


class LearningRate(Metric):
    """`LearningRate/group0`, `LearningRate/group1`, ... at every step."""

    listens: ClassVar[dict[type, str]] = {StepBegan: "step_began", StepTaken: "step_taken"}

    def __init__(self, surroundings: Surroundings) -> None:
        super().__init__(surroundings)
        self._rates: dict[Any, list[Value | None]] = {}
        self._tags: list[str] = []

    def settle(self, pattern: Any) -> Keeper:
        """Keep the rates as they come; by hand there are none."""
        if pattern.by_hand:
            return Keeper()
        return _RatesOfSteps(self._rates, self._tags, pattern.stream)

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


class _RatesOfSteps(Keeper):
    """Rates that are plain numbers, a list a group."""

    wants_step: ClassVar[bool] = True

    def __init__(
        self, metrics_own: dict[Any, list[Value | None]], tags: list[str], stream: Any
    ) -> None:
        self._metrics_own, self._tags, self._stream = metrics_own, tags, stream
        self._rates: list[list[Any]] = []

    def step(self, groups: list[dict[str, Any]], number: int) -> bool:
        """Read the rates; False where one is no plain number."""
        rates = [group.get("lr") for group in groups]
        for rate in rates:
            if type(rate) is not float:
                return False
        self._rates.append(rates)
        return True

    def fold(self, steps: Steps) -> None:
        """Write a column a group."""
        count = len(steps.ends)
        whole, self._rates = self._rates[:count], self._rates[count:]
        for tag, column in zip(self._tags, zip(*whole, strict=True), strict=False):
            steps.block.columns.append((tag, column))

    def end(self, calls: list[CriterionCall], *, in_step: bool) -> None:
        """Leave the rates of a step under way."""
        if in_step:
            self._metrics_own[self._stream] = self._rates[0]
