"""Reads a record for a command, with a bar for the eye where that takes a while."""

from __future__ import annotations

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from pathlib import Path

    from autotrack.history import History


def history_of(directory: Path) -> History:
    """Read the record in a directory; a terminal sees how far it is.

    The bar goes to stderr and is gone in the end. Raises RecordNotFoundError.
    """
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
    return sorted(path for path in directory.iterdir() if path.is_dir() and holds_run(path))
