"""See what a hand-written PyTorch training loop does, without touching the loop.

`@track` over a function, `with tracking(model, optimizer):` around a loop, or `autotrack run
train.py`; then `autotrack.report()`.
"""

from __future__ import annotations

import importlib
from typing import TYPE_CHECKING, Any

from autotrack._version import __version__

if TYPE_CHECKING:
    from autotrack.api import log, report, tracking
    from autotrack.decorator import track
    from autotrack.errors import AutotrackError
    from autotrack.history import History, read
    from autotrack.run import Run

__all__ = [
    "AutotrackError",
    "History",
    "Run",
    "__version__",
    "log",
    "read",
    "report",
    "track",
    "tracking",
]

_HOME = {
    "AutotrackError": "autotrack.errors",
    "History": "autotrack.history",
    "Run": "autotrack.run",
    "log": "autotrack.api",
    "read": "autotrack.history",
    "report": "autotrack.api",
    "track": "autotrack.decorator",
    "tracking": "autotrack.api",
}


def __getattr__(name: str) -> Any:
    if name not in _HOME:
        msg = f"module 'autotrack' has no attribute {name!r}"
        raise AttributeError(msg)
    value = getattr(importlib.import_module(_HOME[name]), name)
    globals()[name] = value
    return value


def __dir__() -> list[str]:
    return sorted(__all__)
