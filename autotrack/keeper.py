"""What a metric keeps of settled steps: numbers in columns, until many steps go on together."""

from __future__ import annotations

import math
from typing import TYPE_CHECKING, Any, ClassVar, NamedTuple

if TYPE_CHECKING:
    from collections.abc import Sequence

    from autotrack.events import CriterionCall, LossComputed


class Steps(NamedTuple):
    """Whole steps, as a `block.Block` that columns are added to.

    `losses`, a list or one on its way from a device, has one entry for each backward call, `calls`
    such a list for each criterion call of a backward; `ends`, by the performance counter, has one
    entry a step. Where each step is an epoch, `passes` are those of all steps but the last, which
    have ended; that of the last is running now.
    """

    block: Any
    losses: Any
    ends: list[float]
    passes: Any = None
    calls: Sequence[Any] = ()


class Keeper:
    """Stands in for a metric while steps all go the same way (`capture.settled`).

    What it writes must be what the metric's own methods would have written. It is made anew each
    time that steps have settled.
    """

    #: Whether it looks at the criterion's arguments, at the step's parameters, at waiting times.
    wants_loss: ClassVar[bool] = False
    wants_step: ClassVar[bool] = False
    wants_batch: ClassVar[bool] = False
    #: Whether it looks at the parameters before their gradients are clipped, where they are.
    wants_clipping: bool = False
    #: Which of the criterion calls of a backward it looks at.
    call: int = 0
    #: The part whose time in `step` and `clipping` the budget must know to the point.
    timed: ClassVar[str] = ""
    #: The first step that the metric itself must see.
    until: float = math.inf
    #: The metric, as the guard calls it.
    part: str = ""

    def prepare(self, event: LossComputed) -> None:
        """Get ready for criterion calls like this one: of its shapes, types and contiguity."""

    def loss(self, prediction: Any, target: Any) -> None:
        """Look at a criterion call; its tensors must not be kept."""

    def clipping(self, groups: list[dict[str, Any]]) -> bool:
        """Look at an optimizer's groups before a clipping; False where something is new."""
        return True

    def step(self, groups: list[dict[str, Any]], number: int) -> bool:
        """Look at an optimizer's groups before step `number`; False where something is new."""
        return True

    def batch(self, seconds: float) -> None:
        """A batch came after so long."""

    def fold(self, steps: Steps) -> None:
        """Take whole steps: add columns to them, and count them in the running pass."""

    def end(self, calls: list[CriterionCall], *, in_step: bool) -> None:
        """Leave the metric as if it had seen everything itself.

        `calls` are those of a step under way; `in_step` says that `step` has been asked for it.
        """
