"""Gradient norms of settled steps: kept where the gradients are, written many at a time."""

from __future__ import annotations

import math
from functools import partial
from typing import TYPE_CHECKING, Any, ClassVar
from weakref import ref

import torch

from autotrack.keeper import Keeper, Steps
from autotrack.metrics._norms import norm_of_groups, norms_there, together
from autotrack.pending import when_known

if TYPE_CHECKING:
    from collections.abc import Callable

    import numpy as np
    from numpy.typing import NDArray

    from autotrack.events import CriterionCall
    from autotrack.metrics.gradients import GradientNorm

    #: A norm, and on a device the parameters with the norm of each.
    Left = tuple[Any, Any]

# So many norms are kept as tensors of their own before they are joined.
_MOST_APART = 4096


class NormsOfSteps(Keeper):
    """Norms of plain gradients, at the steps at which the budget allows them.

    Where steps are clipped, it is asked before the clipping as well.
    """

    wants_step: ClassVar[bool] = True
    timed: ClassVar[str] = "gradients"

    def __init__(self, metric: GradientNorm, pattern: Any) -> None:
        self._metric, self._stream = metric, pattern.stream
        self._intervals = metric.surroundings.intervals
        self._rests = metric.rests(pattern.stream)
        make = partial(_There, metric) if pattern.on_device else _Here
        self._final = make()
        self._before = make() if pattern.clipped else None
        self.wants_clipping = pattern.clipped

    def clipping(self, groups: list[dict[str, Any]]) -> bool:
        """Take the norm before clipping; False where gradients are not as plain as can be."""
        assert self._before is not None
        return self._before.take(None if self._rests else groups)

    def step(self, groups: list[dict[str, Any]], number: int) -> bool:
        """Take the norm that the step uses; False as above."""
        if not self._final.take(None if self._rests else groups):
            return False
        every = self._intervals.get("gradient_norm", 1)
        self._rests = every > 1 and (number + 1) % every > 0
        return True

    def fold(self, steps: Steps) -> None:
        """Write a column of each kind, if there is a norm in it."""
        kinds = {"GradNorm/total": self._final}
        if self._before is not None:
            kinds = {"GradNorm/total": self._before, "GradNorm/clipped": self._final}
        for tag, norms in kinds.items():
            column = norms.column(len(steps.ends), steps.block.x)
            if column is not None:
                steps.block.columns.append((tag, column))

    def end(self, calls: list[CriterionCall], *, in_step: bool) -> None:
        """Leave the norms of a step under way, and the decision about the next one."""
        if self._before is not None and (left := self._before.left()) is not None:
            self._metric.leave_norm_before(self._stream, *left)
        if (left := self._final.left()) is not None:
            self._metric.leave_norm(self._stream, *left)
        self._metric.take_over(self._stream, rests=self._rests)


class _Here:
    """Norms at one moment of each step, known at once; None where the budget leaves one out."""

    def __init__(self) -> None:
        self._norms: list[Any] = []

    def take(self, groups: list[dict[str, Any]] | None) -> bool:
        """Take a norm, or none of None; False where there is none to be had."""
        norm = None
        if groups is not None and (norm := self._norm(groups)) is None:
            return False
        self._norms.append(norm)
        return True

    def column(self, count: int, first: int) -> Any:
        """Return the norms of the oldest so many steps, from `first` on; None if there is none."""
        whole, self._norms = self._norms[:count], self._norms[count:]
        taken = [index for index, norm in enumerate(whole) if norm is not None]
        return self._column(whole, taken, first) if taken else None

    def left(self) -> Left | None:
        """Return the norm of a step under way, if one was taken."""
        return self._left() if self._norms and self._norms[0] is not None else None

    def _norm(self, groups: list[dict[str, Any]]) -> Any:
        return norm_of_groups(groups)

    def _column(self, norms: list[Any], taken: list[int], first: int) -> Any:
        return norms

    def _left(self) -> Left:
        return self._norms[0], None


class _There(_Here):
    """Each gradient's own norm stays on the device; many steps' travel home together."""

    def __init__(self, metric: GradientNorm) -> None:
        super().__init__()
        self._metric, self._transfer = metric, metric.surroundings.transfer
        # Norms of several steps as one tensor, so that no more than some thousand are kept.
        self._joined: list[torch.Tensor] = []
        self._apart: list[torch.Tensor] = []
        self._parameters: list[ref[torch.Tensor]] = []

    def _norm(self, groups: list[dict[str, Any]]) -> Any:
        """Return the number of norms that were taken, which all steps have alike."""
        held = [p for group in groups for p in group["params"] if p.grad is not None]
        norms = norms_there([p.grad for p in held], self._transfer)
        if norms is None or (self._parameters and len(self._parameters) != len(norms)):
            return None
        if not self._parameters:
            self._parameters = [ref(p) for p in held]
        self._apart += norms
        if len(self._apart) >= _MOST_APART:
            self._join()
        return len(norms)

    def _join(self) -> None:
        if self._apart:
            self._joined.append(torch.stack(self._apart))
            self._apart = []

    def _sent(self, steps: int) -> Any:
        """Send the norms of the oldest so many steps home, as an array [steps, parameters]."""
        self._join()
        numbers = torch.cat(self._joined)
        each = len(self._parameters)
        self._joined = [numbers[steps * each :]]
        return when_known(partial(_in_rows, each), self._transfer.numbers(numbers[: steps * each]))

    def _column(self, norms: list[Any], taken: list[int], first: int) -> Any:
        note = partial(self._metric.noted, self._parameters, first)
        return when_known(partial(_column_of, len(norms), taken, note), self._sent(len(taken)))

    def _left(self) -> Left:
        each = when_known(_first_row, self._sent(1))
        parameters = [p for known in self._parameters if (p := known()) is not None]
        return when_known(together, each), (parameters, each)


def _in_rows(length: int, numbers: NDArray[np.float64]) -> NDArray[np.float64]:
    return numbers.reshape(-1, length)


def _first_row(rows: NDArray[np.float64]) -> list[float]:
    first: list[float] = rows[0].tolist()
    return first


def _column_of(
    length: int,
    taken: list[int],
    note: Callable[[int, float, list[float]], None],
    rows: NDArray[np.float64],
) -> list[float | None]:
    """Return the norms of all parameters together at the steps at which they were taken."""
    column: list[float | None] = [None] * length
    for index, row in zip(taken, rows.tolist(), strict=True):
        column[index] = total = together(row)
        if not math.isfinite(total):
            note(index, total, row)
    return column
