"""The one door to the active run: a context variable, empty in new threads and cleared in forks.

Observers ask `active()` on every call. A new thread starts with an empty context, so it is not
observed, except below `autotrack run`, where whoever trains is; a forked process inherits its
parent's context, so it is cleared there.
"""

from __future__ import annotations

import os
from contextlib import nullcontext
from contextvars import ContextVar, Token
from typing import TYPE_CHECKING, Any, ClassVar, Protocol

if TYPE_CHECKING:
    from collections.abc import Callable
    from contextlib import AbstractContextManager


#: How far a step has come that takes the short path (`capture.settled`); none does while OFF.
OFF, IDLE, LOSS, BACKWARD, DONE, CLIPPED, STEP = range(7)


class Unsettled:
    """Stands where no step takes the short path."""

    stage: ClassVar[int] = OFF


class Emitter(Protocol):
    """What an observer needs of a run."""

    #: The hook of the model that training called last, where nothing was called since.
    trained_by: Any

    @property
    def settled(self) -> Any:
        """Who is asked first, where its `stage` says that the next event may be for it."""

    def emit(self, event: Any) -> None:
        """Take one event, or a `partial` that reads one; never raises unless the run is strict."""

    def unseen(self) -> AbstractContextManager[None]:
        """Take no event meanwhile."""


class Newcomer:
    """Stands in a new thread below `autotrack run` until its first event decides who takes it."""

    #: Opens a run in the thread that calls it, or says that nobody takes this thread's events.
    opened: ClassVar[Callable[[], Emitter | None] | None] = None

    settled: ClassVar[Any] = Unsettled()

    def __init__(self) -> None:
        self.trained_by: Any = None

    def _run(self) -> Emitter | None:
        opened = type(self).opened
        run = opened() if opened is not None else None
        enter(run)
        return run

    def emit(self, event: Any) -> None:
        """Take the first event of a thread."""
        if (run := self._run()) is not None:
            run.emit(event)

    def unseen(self) -> AbstractContextManager[None]:
        """Decide nothing: it is as if nothing happened."""
        return nullcontext()

    def __getattr__(self, name: str) -> Any:
        # What a person may ask of the active run: its `log`, its `history`.
        if (run := self._run()) is None:
            raise AttributeError(name)
        return getattr(run, name)


_active: ContextVar[Emitter | None] = ContextVar(
    "autotrack_active_run", default=Newcomer() if "AUTOTRACK_RUN" in os.environ else None
)

active = _active.get


def take_newcomers(opened: Callable[[], Emitter | None]) -> None:
    """Let `opened` say, called in a new thread below `autotrack run`, which run it is part of."""
    Newcomer.opened = opened


def enter(run: Emitter | None) -> Token[Emitter | None]:
    """Make `run` the active one in this context and return the token that undoes it."""
    return _active.set(run)


def leave(token: Token[Emitter | None]) -> None:
    """Undo one `enter`; from another context (a generator closed elsewhere) only clear this one."""
    try:
        _active.reset(token)
    except ValueError:
        _active.set(None)


def _forget_in_child() -> None:
    _active.set(None)


if hasattr(os, "register_at_fork"):
    os.register_at_fork(after_in_child=_forget_in_child)
