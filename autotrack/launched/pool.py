"""Workers of `multiprocessing.Pool`, which end idle, by SIGTERM, without any exit of their own."""

from __future__ import annotations

import os
import signal
import sys
import threading
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Callable
    from types import FrameType


# Where a worker runs its tasks.
_WORKER = ("multiprocessing.pool", "worker")


def is_worker() -> bool:
    """Whether this process is a worker of a pool."""
    process = sys.modules.get("multiprocessing.process")
    return process is not None and "PoolWorker" in process.current_process().name


def when_terminated(end: Callable[[], None], is_ending: Callable[[], bool]) -> None:
    """Call `end` when this worker is terminated while it waits for a task, or after the last.

    In the middle of a task it dies as ever; while it is ending, however that came, it is left to
    come to its end. A handler that the person has set stays.
    """
    if threading.current_thread() is not threading.main_thread():
        return
    if signal.getsignal(signal.SIGTERM) is not signal.SIG_DFL:
        return

    def terminated(number: int, frame: FrameType | None) -> None:
        if is_ending():
            return
        if is_idle(frame) or has_left(frame):
            end()
        signal.signal(number, signal.SIG_DFL)
        os.kill(os.getpid(), number)

    signal.signal(signal.SIGTERM, terminated)


def is_idle(frame: FrameType | None) -> bool:
    """Whether a worker interrupted in `frame` was between two tasks."""
    while frame is not None:
        module, name = frame.f_globals.get("__name__", ""), frame.f_code.co_name
        if (module, name) == _WORKER:
            return True
        if not module.startswith("multiprocessing."):
            return False
        frame = frame.f_back
    return False


def has_left(frame: FrameType | None) -> bool:
    """Whether a worker interrupted in `frame` is beyond its tasks: told to go, and on its way.

    Before them there is nothing to record.
    """
    while frame is not None:
        if (frame.f_globals.get("__name__"), frame.f_code.co_name) == _WORKER:
            return False
        frame = frame.f_back
    return True
