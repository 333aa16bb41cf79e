"""Which settings are in force, and can they work?"""

from __future__ import annotations

import dataclasses
from typing import TYPE_CHECKING

from autotrack.config import Config, is_disabled
from autotrack.doctor._check import Check
from autotrack.errors import UsageError

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path


def examine(_logdir: Path) -> Iterator[Check]:
    """Name what the environment and `pyproject.toml` set."""
    if is_disabled():
        cure = "unset AUTOTRACK_DISABLED to record anything"
        yield Check("settings", "poor", "AUTOTRACK_DISABLED makes everything inert", cure)
    try:
        config, usual = Config.of({}), Config()
    except UsageError as error:
        yield Check("settings", "bad", str(error), "correct it where it was set")
        return
    names = [field.name for field in dataclasses.fields(Config)]
    changed = [
        f"{name}={getattr(config, name)!r}"
        for name in names
        if getattr(config, name) != getattr(usual, name)
    ]
    yield Check("settings", "good", ", ".join(changed) or "the usual ones")
