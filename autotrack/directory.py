"""The run's directory: chosen at the start, made at the first flush, with one record in it."""

from __future__ import annotations

from typing import TYPE_CHECKING

from autotrack.guard import log

if TYPE_CHECKING:
    from pathlib import Path


def holds_record(directory: Path) -> bool:
    """Whether a directory already holds a TensorBoard record."""
    return directory.is_dir() and any(directory.glob("*.tfevents.*"))


def free_directory(wanted: Path, folder: str = "") -> Path:
    """Return `wanted`, or `<wanted>-2`, `-3`, ... where a record is there already, saying so.

    With `folder`, what counts is a record in that folder of it.
    """
    if not holds_record(wanted / folder):
        return wanted
    number = 2
    while holds_record((other := wanted.with_name(f"{wanted.name}-{number}")) / folder):
        number += 1
    log.warning("%s already holds a record; this run is written to %s", wanted, other)
    return other
