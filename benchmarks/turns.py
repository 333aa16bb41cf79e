"""A tracked loop that trains a block whenever it is its turn, as if nothing happened between."""

from __future__ import annotations

import time
from contextlib import nullcontext
from typing import TYPE_CHECKING, Any

import autotrack
from autotrack import observers
from autotrack.context import active

if TYPE_CHECKING:
    from collections.abc import Iterator
    from contextlib import AbstractContextManager
    from pathlib import Path

#: Seconds that each contender trains before anything counts: by then the budget has settled.
WARM_UP = 3.0


class InTurns:
    """Trains a block of a loop each time, and gives the run; used inside `with` for each turn.

    Its hooks are in place during its turns only, and putting them there is no part of a block: a
    loop that is alone does it once.
    """

    def __init__(self, loop: Iterator[Any], directory: Path, **options: Any) -> None:
        @autotrack.track(logdir=directory, **options)
        def running() -> Iterator[Any]:
            for _ in loop:
                yield active()

        self._blocks: Any = running()
        self._run: Any = None
        self._left = 0.0

    def __iter__(self) -> InTurns:
        return self

    def __enter__(self) -> None:
        observers.acquire()
        if self._run is not None:
            _stood_still(self._run, time.perf_counter() - self._left)

    def __next__(self) -> Any:
        self._run = next(self._blocks)
        return self._run

    def __exit__(self, *_: object) -> None:
        self._left = time.perf_counter()
        observers.release()

    def close(self) -> None:
        """End the run."""
        with self:
            self._blocks.close()


def turn_of(blocks: Iterator[Any]) -> AbstractContextManager[Any]:
    """Return what surrounds a contender's turn and is not timed."""
    return blocks if isinstance(blocks, InTurns) else nullcontext()


def _stood_still(run: Any, seconds: float) -> None:
    """Let no time pass for a run while others take their turns.

    Its share of the loop's time, by which the budget goes, and its pauses between two flushes would
    otherwise be those of a loop that takes several times as long.
    """
    meter, recorder, budget = run._meter, run._recorder, run._budget
    meter.first, meter.latest = meter.first + seconds, meter.latest + seconds
    meter.last_snapshot += seconds
    recorder.due_at, recorder._flushed = recorder.due_at + seconds, recorder._flushed + seconds
    if run.settled.stage:
        run.settled._due += seconds
    if (mark := budget._mark) is not None:
        moved = {"time": mark.time + seconds, "last_snapshot": mark.last_snapshot + seconds}
        budget._mark = mark._replace(**moved)
    if budget._snapshots_until is not None:
        budget._snapshots_until += seconds
