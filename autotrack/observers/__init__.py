"""One file per thing watched: each offers `install(patch)` and emits events to the active run.

The patches are process-wide, put in place when the first run starts and taken out when the last
one ends; whoever is not inside a run passes straight through.
"""

from __future__ import annotations

import importlib
import pkgutil
import threading
from contextlib import ExitStack

from autotrack import context, events
from autotrack.observers._dynamo import uncompiled, uncompiled_module
from autotrack.observers._patch import Patch

__all__ = ["acquire", "names", "release", "uncompiled"]

_lock = threading.Lock()
_users = 0
_installed: ExitStack | None = None


def names() -> list[str]:
    """Return the names of all observers: the public modules of this folder."""
    return sorted(m.name for m in pkgutil.iter_modules(__path__) if not m.name.startswith("_"))


def acquire() -> list[str]:
    """Install every observer unless a run has done so; return the surfaces that were not found."""
    global _users, _installed
    with _lock:
        if _installed is None:
            _installed = _install()
        _users += 1
        return list(Patch.missing)


def release() -> None:
    """Undo every patch when the last run has ended."""
    global _users, _installed
    with _lock:
        _users -= 1
        if _users == 0 and _installed is not None:
            # Forgotten first: an undo that fails must not pass for patches that are in place.
            installed, _installed = _installed, None
            installed.close()


def _install() -> ExitStack:
    # `pop_all` only after the last one: an observer that fails while installing leaves nothing.
    Patch.missing.clear()
    with ExitStack() as undo:
        patch = Patch(undo)
        uncompiled_module(events)
        uncompiled_module(context)
        for name in names():
            module = importlib.import_module(f"{__name__}.{name}")
            uncompiled_module(module)
            module.install(patch)
        return undo.pop_all()
