"""The record itself: a TensorBoard event file in the run's directory."""

from __future__ import annotations

from typing import TYPE_CHECKING

from autotrack.eventfile import EventFileWriter

if TYPE_CHECKING:
    from pathlib import Path


def open(directory: Path) -> EventFileWriter:  # noqa: A001 - the verb every sink has
    """Return the writer of a new event file in `directory`."""
    return EventFileWriter(directory)
