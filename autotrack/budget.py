"""Keeps autotrack's own time below a share of the loop's, by recording less often what is optional.

Nothing happens until autotrack has used the seconds that are free. From then on its time is set
against the loop's over each stretch that ends with a flush, and the smallest intervals of the
series 1, 2, 5, 10, ... are chosen that would have kept that stretch within the share.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, NamedTuple

if TYPE_CHECKING:
    from collections.abc import Callable

    from autotrack.cost import Meter

#: What is optional: the norm of a step's gradients, and all that is read at snapshots.
NORM, SNAPSHOTS = "gradient_norm", "snapshots"
# The metric whose time, measured at each step, is that of the norm.
_NORM_METRIC = "gradients"
# A stretch is at least so long: shorter ones say more of the machine than of the loop. Long steps
# need not be so many.
_SECONDS, _STEPS = 0.5, 8
_LONG_SECONDS, _LONG_STEPS = 2.0, 2
#: No part is recorded less often than at every so many-th step or snapshot that is due.
WIDEST = 100
# Of what is allowed: a part that takes less cannot be what is too much ...
_FUTILE = 0.1
# ... and an interval becomes shorter only where this much would be enough, so many times in a row.
_ROOMY = 0.7
_PATIENCE = 4


class _Mark(NamedTuple):
    """Where the meter stood."""

    time: float
    steps: int
    own: float
    norm: float
    snapshots: float
    last_snapshot: float


class Budget:
    """The intervals in force, by part; `changed` is told of each new one."""

    def __init__(
        self,
        meter: Meter,
        budget: tuple[float | None, float],
        intervals: dict[str, int],
        changed: Callable[[str, int], None],
    ) -> None:
        """`budget` is the share and the free seconds; metrics look into `intervals`."""
        share, self._free = budget
        self.intervals = intervals
        intervals.update({NORM: 1, SNAPSHOTS: 1})
        self._meter = meter
        # Of the loop without autotrack.
        self._allowed = None if share is None or share >= 1 else share / (1 - share)
        self._changed = changed
        self._mark: _Mark | None = None
        self._full = {NORM: 0.0, SNAPSHOTS: 0.0}
        self._snapshots_until: float | None = None
        self._roomy = 0

    def look(self) -> None:
        """Set autotrack's time against the loop's, where enough has happened since last time."""
        if self._allowed is None:
            return
        now, before = self._now(), self._mark
        if before is None:
            self._mark = now
            return
        if not _is_enough(now.time - before.time, now.steps - before.steps):
            return
        self._mark = now
        own, snapshots = now.own - before.own, now.snapshots - before.snapshots
        loop = now.time - before.time - own
        if loop <= 0:
            return
        norm = (now.norm - before.norm) / loop
        self._full[NORM] = norm * self.intervals[NORM]
        if snapshots:
            self._spread_out(snapshots, now, loop / (now.time - before.time))
        if now.own > self._free:
            self._settle((own - snapshots) / loop - norm, self._allowed)

    def _now(self) -> _Mark:
        meter = self._meter
        return _Mark(
            meter.latest,
            meter.steps,
            meter.seconds,
            meter.exact.get(_NORM_METRIC, 0.0),
            meter.in_snapshots,
            meter.last_snapshot,
        )

    def _spread_out(self, seconds: float, now: _Mark, share: float) -> None:
        """Set the seconds of snapshots against the whole way from those before them.

        The first after a change of their interval still came by the old one: it is a start only.
        """
        before, self._snapshots_until = self._snapshots_until, now.last_snapshot
        if before is not None and now.last_snapshot > before:
            load = seconds / (share * (now.last_snapshot - before))
            self._full[SNAPSHOTS] = load * self.intervals[SNAPSHOTS]

    def _settle(self, rest: float, allowed: float) -> None:
        """Choose the intervals that would have kept the stretch within what is allowed."""
        chosen = dict(self.intervals)
        while rest + sum(self._loads(chosen).values()) > allowed:
            worth = {
                part: load
                for part, load in self._loads(chosen).items()
                if load >= _FUTILE * allowed and chosen[part] < WIDEST
            }
            if not worth:
                break
            dearest = max(worth, key=lambda part: worth[part])
            chosen[dearest] = wider(chosen[dearest])
        if chosen == self.intervals:
            chosen = self._narrowed(rest, allowed)
        else:
            self._roomy = 0
        for part, every in chosen.items():
            if every != self.intervals[part]:
                self.intervals[part] = every
                if part == SNAPSHOTS:
                    self._snapshots_until = None
                self._changed(part, every)

    def _loads(self, intervals: dict[str, int]) -> dict[str, float]:
        return {part: full / intervals[part] for part, full in self._full.items()}

    def _narrowed(self, rest: float, allowed: float) -> dict[str, int]:
        """Return the intervals with the cheapest one shorter, where that has had room for long."""
        chosen = dict(self.intervals)
        widened = [part for part, every in chosen.items() if every > 1]
        if widened:
            cheapest = min(widened, key=lambda part: self._full[part] / narrower(chosen[part]))
            chosen[cheapest] = narrower(chosen[cheapest])
        fits = rest + sum(self._loads(chosen).values()) <= _ROOMY * allowed
        self._roomy = self._roomy + 1 if widened and fits else 0
        if self._roomy < _PATIENCE:
            return self.intervals
        self._roomy = 0
        return chosen


def _is_enough(seconds: float, steps: int) -> bool:
    if seconds >= _LONG_SECONDS:
        return steps >= _LONG_STEPS
    return seconds >= _SECONDS and steps >= _STEPS


def wider(every: int) -> int:
    """Return the next of 1, 2, 5, 10, 20, 50, ..."""
    return every * 5 // 2 if str(every).startswith("2") else every * 2


def narrower(every: int) -> int:
    """Return the one before."""
    return every * 2 // 5 if str(every).startswith("5") else every // 2
