"""The run's directory: chosen at the start, made at the first flush, with one record in it."""

from __future__ import annotations

import os
import sys
import time
from contextlib import contextmanager, suppress
from typing import TYPE_CHECKING

from autotrack.guard import log

if sys.platform != "win32":
    import fcntl

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

# Another process holds the lock while it makes one file. One that hangs there is not waited for.
_TRIES = 20
_SECONDS_BETWEEN = 0.05


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


@contextmanager
def taken_directory(wanted: Path, folder: str = "") -> Iterator[Path]:
    """Yield a free directory, made where it is missing, that no other process takes meanwhile.

    Where nothing can be written, that is for whoever writes into it to find out.
    """
    while True:
        directory = free_directory(wanted, folder)
        with _locked(directory / folder):
            if not holds_record(directory / folder):
                yield directory
                return


@contextmanager
def _locked(directory: Path) -> Iterator[None]:
    """Hold the lock on a directory, which the system lifts when a process dies."""
    descriptor = None
    with suppress(OSError):
        directory.mkdir(parents=True, exist_ok=True)
        descriptor = os.open(directory, os.O_RDONLY)
        _lock(descriptor)
    try:
        yield
    finally:
        if descriptor is not None:
            os.close(descriptor)


def _lock(descriptor: int) -> None:
    if sys.platform == "win32":
        # There is no lock on a directory there.
        return
    for _ in range(_TRIES):
        with suppress(BlockingIOError):
            fcntl.flock(descriptor, fcntl.LOCK_EX | fcntl.LOCK_NB)
            return
        time.sleep(_SECONDS_BETWEEN)
