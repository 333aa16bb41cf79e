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


def is_worker() -> bool:
    """Whether this process is a worker of a pool."""
    process = sys.modules.get("multiprocessing.process")
    return process is not None and "PoolWorker" in process.current_process().name


def when_terminated(end: Callable[[], None], is_ending: Callable[[], bool]) -> None:
    """Call `end` when this worker is terminated while it waits for its next task.

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
        if is_idle(frame):
            end()
        signal.signal(number, signal.SIG_DFL)
        os.kill(os.getpid(), number)

    signal.signal(signal.SIGTERM, terminated)


def is_idle(frame: FrameType | None) -> bool:
    """Whether a worker interrupted in `frame` was between two tasks, or beyond the last of them.

    Told to leave, and terminated before that has come to the end of its run, it is in no task.
    """
    in_task = False
    while frame is not None:
        module, name = frame.f_globals.get("__name__", ""), frame.f_code.co_name
        if (module, name) == ("multiprocessing.pool", "worker"):
            return not in_task
        in_task = in_task or not module.startswith("multiprocessing.")
        frame = frame.f_back
    return True
