"""Can records be written where they would go?"""

from __future__ import annotations

import shutil
import tempfile
from pathlib import Path
from typing import TYPE_CHECKING

from autotrack.doctor._check import Check

if TYPE_CHECKING:
    from collections.abc import Iterator

_LEAST_BYTES = 100e6


def examine(logdir: Path) -> Iterator[Check]:
    """Write a file in the nearest directory that exists, and look how much room is left."""
    home = _existing(logdir)
    cure = "name another place with --logdir or AUTOTRACK_LOGDIR"
    try:
        with tempfile.TemporaryFile(dir=home) as file:
            file.write(b"autotrack")
        free = shutil.disk_usage(home).free
    except OSError as error:
        yield Check("log directory", "bad", f"{home} cannot be written: {error.strerror}", cure)
        return
    room = f"{logdir} can be written, {free / 1e9:.1f} GB free"
    yield Check("log directory", "good" if free > _LEAST_BYTES else "poor", room, cure)


def _existing(directory: Path) -> Path:
    absolute = Path.cwd() / directory
    return next(path for path in (absolute, *absolute.parents) if path.exists())
