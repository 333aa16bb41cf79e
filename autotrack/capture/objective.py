"""What training minimises: which criterion's value stands for it in evaluation."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from autotrack import events as e


@dataclass(slots=True, eq=False, repr=False)
class Objective:
    """What training minimises, learned from its steps.

    `function` is the one criterion whose value alone is backwarded; `mixed` says that some step's
    loss was more than that, because then an evaluation's criterion call is only a part of it.
    """

    function: str | None = None
    mixed: bool = False
    #: A person's own criteria that sum, since training divides them by their number of samples.
    sums: set[str] = field(default_factory=set)
    # Whether steps gather several backward calls, whose number a loss is divided by; else what one
    # is divided by makes it another number than its criterion's, as evaluation sees that.
    _gathers: bool = False
    _scaled: bool = False
    # What the first step is taken for, whose criterion was known too late to be seen in it.
    _supposed: str | None = None

    def suppose(self, function: str) -> None:
        """Take a criterion for it until a step shows what it is."""
        self._supposed = function

    def learn(self, batches: list[e.TrainBatch], sites: int) -> None:
        """Take in the backward calls of one step, made at so many call sites."""
        self._gathers, self._supposed = self._gathers or len(batches) > 1, None
        for batch in batches:
            alone = batch.whole and sites == 1 and len(batch.parts) == 1
            function = batch.parts[0].function if alone else None
            if function is None or (self.function is not None and self.function != function):
                self.mixed = True
            self.function = function or self.function
        if len(batches) == 1:
            self._learn_scale(batches[0])

    def _learn_scale(self, batch: e.TrainBatch) -> None:
        """Take in by what the loss of a step is divided."""
        if batch.divisor == 1 or batch.reduction != "mean" or not batch.whole:
            return
        part = batch.parts[0]
        if part.own and batch.divisor == part.size:
            self.sums.add(part.function)
        else:
            self._scaled = True

    def forget(self) -> None:
        """Begin anew."""
        self.function, self.mixed, self._supposed = None, False, None
        self._gathers = self._scaled = False
        self.sums.clear()

    @property
    def criterion(self) -> str | None:
        """The criterion that stands for the whole objective, if one does."""
        return None if self.mixed or self.scaled else self.function or self._supposed

    @property
    def scaled(self) -> bool:
        """Whether the loss is that criterion's value times a number, as far as steps have shown."""
        return not self.mixed and self._scaled and not self._gathers
