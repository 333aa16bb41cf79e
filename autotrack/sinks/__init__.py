"""One file per consumer of records, found by its name; there is no list to edit."""

from __future__ import annotations

import difflib
import importlib
import pkgutil
from functools import partial
from importlib.metadata import entry_points
from typing import TYPE_CHECKING, Any, Protocol

from autotrack.errors import UsageError

if TYPE_CHECKING:
    from collections.abc import Iterable
    from pathlib import Path

    from autotrack.records import Record

DEFAULT = ("tensorboard", "terminal", "notebook", "alarm")


class Sink(Protocol):
    """Takes the records of a run, some at a time; made with the run's directory.

    One that has `takes_blocks` set gets `block.Block`s among the records. One with a method
    `evaluating(phase, batches, of)` is told now and then how far an evaluation has come.
    """

    def write(self, records: Iterable[Record]) -> None:
        """Take some records, in order."""

    def close(self) -> None:
        """The run is over."""


def names() -> list[str]:
    """Return the names of autotrack's own sinks."""
    return sorted(m.name for m in pkgutil.iter_modules(__path__) if not m.name.startswith("_"))


def find(name: str) -> Any:
    """Return what makes the sink called `name` from a directory.

    A name is a file of this folder (its `open`, imported when called), an entry point of the group
    `autotrack.sinks`, or `"package.module:factory"`. Raises UsageError, with the nearest known
    name, when there is none.
    """
    if ":" in name:
        return _from_outside(name)
    if name in names():
        return partial(_open, name)
    others = {point.name: point for point in entry_points(group="autotrack.sinks")}
    if name in others:
        return others[name].load()
    near = difflib.get_close_matches(name, [*names(), *others], n=1)
    hint = f"; did you mean {near[0]!r}?" if near else ""
    msg = f"there is no sink {name!r}{hint} Known: {', '.join([*names(), *others])}."
    raise UsageError(msg)


def _open(name: str, directory: Path) -> Any:
    """Return one of autotrack's own sinks; what it needs is slow to import."""
    return importlib.import_module(f"{__name__}.{name}").open(directory)


def _from_outside(name: str) -> Any:
    module, _, attribute = name.partition(":")
    try:
        return getattr(importlib.import_module(module), attribute)
    except (ImportError, AttributeError) as error:
        msg = f"there is no sink {name!r}: {error}. Name it as 'package.module:factory'."
        raise UsageError(msg) from error


def chosen(wanted: tuple[str, ...] | None) -> list[tuple[str, Any]]:
    """Return name and factory of each wanted sink; `"+name"` adds to the default."""
    if wanted is None:
        wanted = DEFAULT
    elif any(name.startswith("+") for name in wanted):
        wanted = (*DEFAULT, *wanted)
    return [(name, find(name)) for name in dict.fromkeys(name.lstrip("+") for name in wanted)]
