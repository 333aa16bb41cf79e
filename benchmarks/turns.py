"""A tracked loop that trains a block whenever it is its turn, as if nothing happened between."""

from __future__ import annotations

import time
from typing import TYPE_CHECKING, Any

import autotrack
from autotrack import observers
from autotrack.context import active

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

#: Seconds that each contender trains before anything counts: by then the budget has settled.
WARM_UP = 3.0


def tracked_in_turns(loop: Iterator[Any], directory: Path, **options: Any) -> Iterator[Any]:
    """Train a block of `loop` each time, and give the run; hooks are in place meanwhile only."""

    @autotrack.track(logdir=directory, **options)
    def running() -> Iterator[Any]:
        for _ in loop:
            yield active()

    blocks, run, left = running(), None, 0.0
    try:
        while True:
            observers.acquire()
            if run is not None:
                _stood_still(run, time.perf_counter() - left)
            run = next(blocks)
            left = time.perf_counter()
            observers.release()
            yield run
    finally:
        observers.acquire()
        blocks.close()  # type: ignore[attr-defined]


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
