"""Looks whether autotrack can work here: one file a question, each with `examine(logdir)`.

Every module gives `Check`s. A check that is not right names the way out.
"""

from __future__ import annotations

import importlib
import pkgutil
from typing import TYPE_CHECKING

from autotrack.doctor._check import Check

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

__all__ = ["Check", "examine"]

# What is asked later rests on what is asked before.
_ORDER = ("packages", "settings", "directory", "tensorboard", "loop")


def examine(logdir: Path) -> Iterator[Check]:
    """Give the checks of every module, the ordered ones first; records would go below `logdir`."""
    names = sorted(m.name for m in pkgutil.iter_modules(__path__) if not m.name.startswith("_"))
    names.sort(key=lambda name: _ORDER.index(name) if name in _ORDER else len(_ORDER))
    for name in names:
        yield from importlib.import_module(f"{__name__}.{name}").examine(logdir)
