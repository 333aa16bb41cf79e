"""Inside a process below `autotrack run`: a run begins when torch comes and ends with the process.

The first process records into the directory itself, children into folders of it. Nothing is
written by a process that does not train. A forked child inherits torch and the hooks but not the
run: it opens its own at the first event that reaches it.
"""

from __future__ import annotations

import json
import os
import sys
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any, ClassVar

from autotrack import context, pool
from autotrack.directory import holds_record
from autotrack.guard import Guard

if TYPE_CHECKING:
    from collections.abc import Mapping

    from autotrack.run import Run

# below the finalizers of everybody else, after a process has waited for its own children
_LAST = -100
# children whose folders are named at the end; the others are counted
_NAMED = 4


@dataclass(frozen=True)
class Orders:
    """What the command line asked for, as it travels to every process in `AUTOTRACK_RUN`.

    `options` are all fields of Config but `logdir`; `home` is where the command was given.
    """

    directory: str
    options: Mapping[str, Any]
    home: str
    ranks: str = "0"
    quiet: bool = False

    @classmethod
    def received(cls) -> Orders:
        """Return the orders of this process's `autotrack run`."""
        return cls(**json.loads(os.environ["AUTOTRACK_RUN"]))


class Process:
    """This process's run; stands in for it in a forked child until something happens there."""

    #: What `begin` made in this process, or in the one it was forked from.
    here: ClassVar[Process | None] = None

    def __init__(self, orders: Orders) -> None:
        self.orders = orders
        self.run: Run | None = None
        self._pid = os.getpid()
        self._ending = False
        self._guard = Guard(strict=bool(orders.options.get("strict")))

    def begin(self) -> None:
        """Open a run for this process, unless it is one that shall not write."""
        directory = place(self.orders)
        if directory is not None:
            self.run = self._guard.call("autotrack run", _opened, self.orders, directory)
        pooled = self.run is not None and pool.is_worker()
        context.enter(self if pooled else self.run)

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
        if type(event).__name__ == "StepDone" and context.active() is self:
            context.enter(self.run)
            self._guard.call("pool", pool.when_terminated, self.end, lambda: self._ending)

    def log(self, name: str, value: Any) -> None:
        """Record a person's own number in a forked child."""
        self._wake()
        if self.run is not None:
            self.run.log(name, value)

    def _wake(self) -> None:
        if self._pid == os.getpid():
            return
        self._pid = os.getpid()
        inherited, self.run = self.run, None
        if inherited is not None:
            # Takes the inherited hooks off the models; in a child it writes nothing.
            self._guard.call("autotrack run", inherited.finish)
        self.begin()

    def end(self) -> None:
        """End the run of this process, if it saw something; the run of a parent is not touched.

        One that saw nothing is left as it is, so that nothing is written: its hooks go with the
        process.
        """
        if self.run is not None and self._pid == os.getpid():
            self._ending = True
            self._guard.call("autotrack run", _finished, self.run)
            self._ending = False


def begin() -> None:
    """Begin tracking in this process; torch has just been imported."""
    # Orders may come from another version of autotrack: whatever fails, the script goes on.
    Guard().call("autotrack run", _begin)


def finish() -> None:
    """End what was begun; the first process also says, on stderr, what was recorded and where."""
    Guard().call("autotrack run", _finish)


def is_first() -> bool:
    """Whether this is the process that the command line became, rather than a child of it."""
    return os.environ.get("AUTOTRACK_RUN_PID") == str(os.getpid())


def saw_something(run: Run) -> bool:
    """Whether a run has something to tell; in a child only training counts."""
    return any(line.seen for line in run.coverage.lines if is_first() or line.what == "backward")


def place(orders: Orders) -> Path | None:
    """Return where this process records, or None where it shall not: a rank that was not asked for.

    A worker of `torchrun` is known by the variables that torchrun sets.
    """
    directory, environ = Path(orders.directory), os.environ
    rank = environ.get("RANK") if {"LOCAL_RANK", "WORLD_SIZE"} <= environ.keys() else None
    if rank not in (None, "0") and orders.ranks != "all":
        return None
    if is_first() and (rank is None or orders.ranks != "all"):
        return directory
    return directory / (f"child-{os.getpid()}" if rank is None else f"rank{rank}")


def children(directory: Path) -> list[Path]:
    """Return the folders of a run's directory in which child processes recorded."""
    folders = [*directory.glob("child-*"), *directory.glob("rank*")]
    return sorted(folder for folder in folders if holds_record(folder))


def summary(orders: Orders, run: Run | None) -> str:
    """Return what to tell at the end: where the record is and what was seen, or why nothing."""
    lines = []
    if run is not None and holds_record(run.directory):
        lines += [f"autotrack: recorded in {_shown(run.directory, orders)}", str(run.coverage)]
    folders = [
        str(_shown(folder, orders))
        for folder in children(Path(orders.directory))
        if run is None or run.directory.parent != folder.parent
    ]
    if folders:
        more = f" and {len(folders) - _NAMED} more" if len(folders) > _NAMED else ""
        lines += [f"autotrack: child processes recorded in {', '.join(folders[:_NAMED])}{more}"]
    nothing = (
        "autotrack: nothing was recorded: no backward ran in the thread that imported torch, "
        "nor in a child process"
    )
    return "\n".join(lines) or nothing


def say(text: str) -> None:
    """Write to the stderr that the process was started with."""
    stream = sys.__stderr__
    if stream is None:
        return
    try:
        stream.write(text + "\n")
        stream.flush()
    except (OSError, ValueError):
        # Nobody reads it any more, or the script has closed it.
        return


def _begin() -> None:
    from multiprocessing import process, util

    here = Process.here = Process(Orders.received())
    here.begin()
    if hasattr(os, "register_at_fork"):
        os.register_at_fork(after_in_child=here.forked)
    # A child of multiprocessing leaves without Python's own exit; these end its run.
    util.register_after_fork(here, _end_with_the_child)
    if process.parent_process() is not None:
        _end_with_the_child(here)


def _finish() -> None:
    here = Process.here
    if here is not None:
        here.end()
    orders = Orders.received()
    if is_first() and not orders.quiet and place(orders) is not None:
        say(summary(orders, here.run if here is not None else None))


def _opened(orders: Orders, directory: Path) -> Run:
    from autotrack.config import Config
    from autotrack.run import Run

    # Without a boundary: every frame below the script's first belongs to the person.
    run = Run(Config.of({**orders.options, "logdir": directory}))
    run.start()
    return run


def _finished(run: Run) -> None:
    if saw_something(run):
        run.finish(_error_on_the_way())


def _end_with_the_child(here: Process) -> None:
    from multiprocessing import util

    util.Finalize(None, here.end, exitpriority=_LAST)


def _error_on_the_way() -> BaseException | None:
    """Return the exception that ends this process, where one does."""
    error = sys.exc_info()[1] or getattr(sys, "last_value", None)
    return None if isinstance(error, SystemExit) else error


def _shown(directory: Path, orders: Orders) -> Path:
    home = Path(orders.home)
    return directory.relative_to(home) if directory.is_relative_to(home) else directory
