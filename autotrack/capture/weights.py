"""Weights moved by hand, at steps that have settled: they stand in for an optimizer."""

from __future__ import annotations

import operator
from typing import TYPE_CHECKING, Any
from weakref import ref

from autotrack.capture.streams import marks_of

if TYPE_CHECKING:
    from torch import Tensor


class Weights:
    """The weights of one place where every backward is a step.

    `marks` and `loss` are those of the backward that began last.
    """

    def __init__(self, leaves: list[ref[Tensor]]) -> None:
        self._leaves = leaves
        self.marks: list[tuple[int, int]] = []
        self.loss: ref[Any] = ref(self)
        #: As an optimizer has them.
        self.param_groups: list[dict[str, Any]] = []

    def backward_started(self, loss: Any) -> None:
        """Remember what the backward of `loss` will change."""
        self.loss, self.marks = ref(loss), marks_of(self._living())

    def have_gradients(self) -> bool:
        """Whether that backward has brought each of them a gradient."""
        weights = self._living()
        self.param_groups = [{"params": weights}]
        brought = not any(map(operator.eq, self.marks, marks_of(weights)))
        return brought and len(weights) == len(self._leaves)

    def _living(self) -> list[Any]:
        return [weight for leaf in self._leaves if (weight := leaf()) is not None]
