"""What happens beside a run and is no part of it: the likely reasons why a run saw nothing."""

from __future__ import annotations

import sys

from autotrack import context, frames

# Less than this is no training: starting a process takes as long.
_LITTLE = 0.5


class Elsewhere:
    """Counts what a run met and left alone, and knows whether child processes have worked."""

    def __init__(self) -> None:
        self.transforms = 0
        self.threads = 0
        self._before = _seconds_of_children()

    def follows(self, thread: int, *, idle: bool) -> bool:
        """Whether a run at home in `thread` follows to the thread that calls, which inherited it.

        So it does where its coroutine waits for this very thread (`asyncio.to_thread`). A thread
        that works beside the run's own is no part of it; its own context then forgets the run.
        `idle` says that nothing has happened in the run yet.
        """
        if frames.is_waiting_in_a_loop(thread):
            return True
        if idle and frames.is_waiting_in_a_loop(thread, anywhere=True):
            return True
        self.threads += 1
        context.enter(None)
        return False

    @property
    def children_worked(self) -> bool:
        """Whether processes that this one started have ended after some work of their own."""
        return _seconds_of_children() - self._before > _LITTLE


def _seconds_of_children() -> float:
    """Return the processor time of ended child processes; 0 where the system does not say."""
    if sys.platform == "win32":
        return 0.0
    import resource

    used = resource.getrusage(resource.RUSAGE_CHILDREN)
    return used.ru_utime + used.ru_stime
