"""The record itself: a TensorBoard event file in the run's directory."""

from __future__ import annotations

from pathlib import Path

from autotrack.eventfile import EventFileWriter


def open(directory: Path) -> EventFileWriter:  # noqa: A001 - the verb every sink has
    """Return the writer of a new event file in `directory`."""
    return EventFileWriter(directory)
