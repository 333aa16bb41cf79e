"""Finished rows on their way to the outlet: what waits, and when it is due."""

from __future__ import annotations

import math
import os
import time
from typing import TYPE_CHECKING, Any

from autotrack import ranks
from autotrack.buffer import Buffer
from autotrack.observers.cuda_graph import graphs

if TYPE_CHECKING:
    from collections.abc import Callable

    from autotrack.block import Block
    from autotrack.guard import Guard
    from autotrack.outlet import Outlet
    from autotrack.row import Row

# Rows wait this long at most while events come, and less where writing is cheap: no more than so
# large a share of the time. What waits when a call begins that lasts stays unseen until its end.
_FLUSH_SECONDS = 1.0
_LEAST_FLUSH_SECONDS = 0.05
_FLUSH_SHARE = 0.0025
# Where a loader starts, a long evaluation may begin.
_FLUSH_SECONDS_BEFORE_LOADER = 0.1
_FLUSH_ROWS = 1000


class Recorder:
    """Keeps rows until they are written; `due_at`, by `perf_counter`, is when that should be."""

    def __init__(self, guard: Guard, outlet: Outlet, may_write: Callable[[], bool]) -> None:
        """`may_write` brings everything up to date, and says whether anything may be written."""
        self._guard, self._outlet, self._may_write = guard, outlet, may_write
        self.buffer = Buffer()
        self.due_at = 0.0
        self._flushed = time.perf_counter()
        self._pause = _FLUSH_SECONDS
        self._pid = os.getpid()

    @property
    def takes_rows(self) -> bool:
        """Whether what is added goes anywhere: what can no longer be written must not pile up."""
        return not self._outlet.silent and "flush" not in self._guard.failed

    @property
    def next_due(self) -> float:
        """When rows that wait, or come next, must be written."""
        return self.due_at if self.due_at < math.inf else self._flushed + self._pause

    def add(self, row: Row | Block, stream: Any) -> None:
        """Keep a finished row, if there is anything in it; `stream` names its series."""
        if row and self.takes_rows:
            self.buffer.add(row, stream)
            if self.due_at == math.inf:
                self.due_at = self._flushed + self._pause
                # The process group may be gone by the time of the flush.
                ranks.rank()
            if len(self.buffer.rows) >= _FLUSH_ROWS:
                self.due_at = self._flushed

    def hurry(self, _: object = None) -> None:
        """Write what waits soon."""
        if self.due_at < math.inf:
            self.due_at = min(self.due_at, self._flushed + _FLUSH_SECONDS_BEFORE_LOADER)

    def begin(self, now: float) -> None:
        """Count from the first event on, not from when the run was opened.

        A slow first step would settle names too early.
        """
        self._flushed = now
        self.due_at = math.inf if self.buffer.is_empty else now + self._pause

    def flush(self, *, wait: bool = False, began: float | None = None) -> None:
        """Write what is known so far; with `wait` also what is still on its way from a device.

        `began` is when the work for it did, if that was before.
        """
        now = time.perf_counter()
        # Where rows waited long past their time, events are rare: the next row is due at once.
        late = now - self.due_at >= _FLUSH_SECONDS
        self._flushed = now - self._pause if late else now
        self.due_at = self._flushed + self._pause
        if os.getpid() == self._pid and not graphs.capturing:
            self._guard.call("flush", self.write, wait=wait)
        took = time.perf_counter() - (now if began is None else began)
        self._pause = min(_FLUSH_SECONDS, max(_LEAST_FLUSH_SECONDS, took / _FLUSH_SHARE))

    def write(self, *, wait: bool = False) -> None:
        """Hand on the rows whose numbers are all known."""
        may_write = self._may_write()
        if self.buffer.is_empty or not may_write:
            return
        rows = self.buffer.take(wait=wait)
        if not rows:
            return
        if not self.buffer.travelling:
            # The next row says when the next flush is due.
            self.due_at = math.inf
        self._outlet.write(rows)
