"""The one door to the active run: a context variable, empty in new threads and cleared in forks.

Observers ask `active()` on every call. A new thread starts with an empty context, so it is not
observed; a forked process inherits its parent's context, so it is cleared there.
"""

from __future__ import annotations

import os
from contextvars import ContextVar, Token
from typing import TYPE_CHECKING, Any, Protocol

if TYPE_CHECKING:
    from collections.abc import Callable


class Emitter(Protocol):
    """What an observer needs of a run."""

    def emit(self, event: Any) -> None:
        """Take one event; never raises unless the run is strict."""

    def notice(self, make: Callable[..., Any], *args: Any) -> None:
        """Take the event that `make(*args)` reads from a call; never raises unless strict."""


_active: ContextVar[Emitter | None] = ContextVar("autotrack_active_run", default=None)

active = _active.get


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
