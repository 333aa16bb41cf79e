"""Reads a record for a command, with a bar for the eye where that takes a while; says failures."""

from __future__ import annotations

from contextlib import contextmanager
from typing import TYPE_CHECKING

import click

from autotrack.errors import RecordNotFoundError, UsageError

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

    from autotrack.history import History


# An event is hardly longer than this where a run is still being written, or was killed.
_UNFINISHED = 4096


def history_of(directory: Path) -> History:
    """Read the record in a directory; a terminal sees how far it is.

    The bar goes to stderr and is gone in the end. What cannot be read is told there. Raises
    RecordNotFoundError.
    """
    history = _read(directory)
    tell_damage(history)
    return history


def tell_damage(history: History) -> None:
    """Say on stderr how much of a record cannot be read, if it is more than an unfinished event."""
    if history.truncated > _UNFINISHED:
        left = f"{history.truncated:,} bytes of {history.directory} cannot be read"
        click.echo(f"{left}: what follows is of the part before them", err=True)


@contextmanager
def writing() -> Iterator[None]:
    """While this lasts, a file that cannot be written is a mistake told in one line."""
    try:
        yield
    except BrokenPipeError:
        raise
    except OSError as error:
        raise UsageError(f"cannot write: {error.strerror}: {error.filename}") from error


def _read(directory: Path) -> History:
    from rich.console import Console
    from rich.progress import BarColumn, DownloadColumn, Progress, TextColumn, TimeRemainingColumn

    from autotrack.history import read

    console = Console(stderr=True)
    if not console.is_terminal:
        return read(directory)
    columns = (
        TextColumn("reading {task.description}", markup=False),
        BarColumn(),
        DownloadColumn(),
        TimeRemainingColumn(),
    )
    with Progress(*columns, console=console, transient=True) as bar:
        task = bar.add_task(directory.name or str(directory), total=None)
        return read(directory, lambda done, total: bar.update(task, completed=done, total=total))


def runs_in(directory: Path) -> list[Path]:
    """The runs that a directory stands for: itself, or, where it holds none, those in it."""
    from autotrack.history import holds_run

    if holds_run(directory) or not directory.is_dir():
        return [directory]
    found = sorted(path for path in directory.iterdir() if path.is_dir() and holds_run(path))
    if not found:
        raise RecordNotFoundError(f"{directory} holds no run, and no directory in it does")
    return found
