"""Inside a process below `autotrack run`: a run begins when torch comes and ends with the process.

The first process records into the directory itself, children into folders of it. Nothing is
written by a process that does not train. A forked child inherits torch and the hooks but not the
run: it opens its own at the first event that reaches it.
"""

from __future__ import annotations

import os
import sys
from contextlib import nullcontext
from typing import TYPE_CHECKING, Any, ClassVar

from autotrack import context
from autotrack.guard import Guard
from autotrack.launched import pool
from autotrack.launched.orders import Orders, is_first, torchrun_rank
from autotrack.launched.telling import say, summary
from autotrack.launched.threads import Threads

if TYPE_CHECKING:
    from contextlib import AbstractContextManager
    from pathlib import Path

    from autotrack.run import Run

# below the finalizers of everybody else, after a process has waited for its own children
_LAST = -100


class Process:
    """This process's run; stands in for it in a forked child until something happens there."""

    #: What `begin` made in this process, or in the one it was forked from.
    here: ClassVar[Process | None] = None
    # Whoever asks on every event gets no error, also where this process has no run.
    settled: ClassVar[Any] = context.Unsettled()

    def __init__(self, orders: Orders) -> None:
        self.orders = orders
        self.run: Run | None = None
        self.threads: Threads | None = None
        self._pid = os.getpid()
        self._ending = False
        self.trained_by: Any = None
        self._guard = Guard(strict=bool(orders.options.get("strict")))

    def begin(self) -> None:
        """Open a run for this process, unless it is one that shall not write."""
        directory = self.orders.place
        if directory is not None:
            self.threads = Threads(directory, self._open, lambda: self.orders.place_of_rank)
            self.run = self._open(directory)
            if self.run is not None:
                self.threads.watch(self.run)
        context.take_newcomers(self._opened_here)
        pooled = self.run is not None and pool.is_worker()
        context.enter(self if pooled else self.run)

    @property
    def recorded(self) -> Run | None:
        """The run that records into this process's directory: of whichever thread trained first."""
        first = self.threads.first if self.threads is not None else None
        return first or self.run

    def _open(self, directory: Path) -> Run | None:
        return self._guard.call("autotrack run", _opened, self.orders, directory)

    def _opened_here(self) -> Run | None:
        """Open the run of a thread that was started without one."""
        self._wake()
        return self._guard.call("threads", self.threads.open) if self.threads is not None else None

    def forked(self) -> None:
        """Wait, in a child that was just forked, for the first event."""
        context.enter(self)

    def emit(self, event: Any) -> None:
        """Take an event: the first one in a forked child opens the child's own run.

        A worker of a pool is followed up to its first step, after which it may be terminated.
        """
        self._wake()
        if self.run is None:
            return
        self.run.emit(event)
        if type(event).__name__ == "StepDone" and self is context.active():
            context.enter(self.run)
            self._guard.call("pool", pool.when_terminated, self.end, lambda: self._ending)

    def unseen(self) -> AbstractContextManager[None]:
        """Take no event meanwhile."""
        self._wake()
        return nullcontext() if self.run is None else self.run.unseen()

    def __getattr__(self, name: str) -> Any:
        # What a person may ask of the active run: its `log`, its `history`.
        self._wake()
        if self.run is None:
            raise AttributeError(name)
        return getattr(self.run, name)

    def _wake(self) -> None:
        if self._pid == os.getpid():
            return
        self._pid = os.getpid()
        inherited, self.run = self.run, None
        threads, self.threads = self.threads, None
        if inherited is not None:
            # Takes the inherited hooks off the models; in a child it writes nothing.
            self._guard.call("autotrack run", inherited.finish)
        if threads is not None:
            self._guard.call("threads", threads.end)
        self.begin()

    def end(self) -> None:
        """End the run of this process; the run of a parent is not touched."""
        if self.run is not None and self._pid == os.getpid():
            self._ending = True
            self._guard.call("autotrack run", self.run.finish, _error_on_the_way())
            if self.threads is not None:
                self._guard.call("threads", self.threads.end)
            self._ending = False


def begin() -> None:
    """Begin tracking in this process; torch has just been imported."""
    # Orders may come from another version of autotrack: whatever fails, the script goes on.
    Guard().call("autotrack run", _begin)


def finish() -> None:
    """End what was begun; the first process also says, on stderr, what was recorded and where."""
    Guard().call("autotrack run", _finish)


def _begin() -> None:
    from multiprocessing import util

    here = Process.here = Process(Orders.received())
    here.begin()
    if hasattr(os, "register_at_fork"):
        os.register_at_fork(after_in_child=here.forked)
    # A child of multiprocessing leaves without Python's own exit; these end its run.
    util.register_after_fork(here, _end_with_the_child)
    if not is_first():
        _end_with_the_child(here)


def _finish() -> None:
    here = Process.here
    if here is not None:
        here.end()
    orders = Orders.received()
    if is_first() and not orders.quiet and orders.place is not None:
        say(summary(orders, here.recorded if here is not None else None))


def _opened(orders: Orders, directory: Path) -> Run:
    from autotrack.config import Config
    from autotrack.run import Run

    options = {**orders.options, "logdir": directory}
    # Without a boundary: every frame below the script's first belongs to the person. The place of
    # a worker of torchrun is chosen; other ranks come out only when their process group is made.
    run = Run(Config.of(options), only_if_trained=True, placed=torchrun_rank() is not None)
    run.start()
    return run


def _end_with_the_child(here: Process) -> None:
    from multiprocessing import util

    util.Finalize(None, here.end, exitpriority=_LAST)


def _error_on_the_way() -> BaseException | None:
    """Return the exception that ends this process, where one does."""
    error = sys.exc_info()[1] or getattr(sys, "last_value", None)
    return None if isinstance(error, SystemExit) else error
