"""When to take a snapshot: the first step, then at epochs' ends, thinned in long runs."""

from __future__ import annotations

import math
from dataclasses import dataclass

#: Without epochs an interval is this many steps.
STEPS = 100
# Every interval up to this one, from there on one in each fifteenth of the way gone: 200 snapshots
# reach beyond a million intervals.
_EVERY = 15


@dataclass(slots=True, eq=False, repr=False)
class Schedule:
    """Snapshots of one stream; `every` intervals apart, 0 for none.

    Of the snapshots due so, only every `stretch`th is taken.
    """

    every: int = 1
    stretch: int = 1
    _intervals: int = 0
    _next: int = 0
    _epoch: int | None = None
    _taken: bool = False

    def due(self, step: int, epoch: int | None, *, last_batch: bool) -> bool:
        """Whether the step about to happen gets a snapshot.

        `last_batch` says that the batch in hand is the last of its loader. Where that is never
        seen, the step that begins the next epoch stands in.
        """
        if not self.every:
            return False
        if step == 0:
            self._epoch = epoch
            self._taken = last_batch
            return True
        if epoch is None:
            return step % STEPS == 0 and self._allows()
        begins = epoch != self._epoch
        missed = begins and not self._taken
        if begins:
            self._epoch = epoch
            self._taken = False
        if last_batch and not self._taken:
            self._taken = True
            return self._allows()
        return missed and self._allows()

    def lets_pass(self, epoch: int | None) -> bool:
        """Whether the step with a loader's last batch goes without a snapshot: counted then."""
        if not self.every or epoch is None or self._taken:
            return True
        if epoch != self._epoch or self._intervals + 1 >= self._next:
            return False
        self._taken = True
        self._intervals += 1
        return True

    @property
    def quiet(self) -> float:
        """How many epochs begin before the next snapshot, where no step is known as a last one."""
        if not self.every:
            return math.inf
        return 0 if self._taken else max(0, self._next - self._intervals - 1)

    def pass_by(self, epochs: int, latest: int | None) -> None:
        """Count epochs of one step each that began without a snapshot."""
        self._intervals += epochs
        self._epoch = latest

    def _allows(self) -> bool:
        self._intervals += 1
        if self._intervals < self._next:
            return False
        self._next = self._intervals + self.stretch * max(self.every, self._intervals // _EVERY)
        return True
