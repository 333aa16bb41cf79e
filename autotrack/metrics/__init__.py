"""One file per number. A metric is found by its file's name; there is no list to edit.

Those of the folder `on_request` are computed only where they are asked for.
"""

from __future__ import annotations

import difflib
import importlib
import pkgutil
from functools import cache
from importlib.metadata import entry_points
from typing import TYPE_CHECKING, Any

from autotrack.errors import UsageError
from autotrack.metrics import on_request
from autotrack.metrics._metric import Metric, Surroundings

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator

__all__ = ["Metric", "Surroundings", "create", "defaults", "names"]


@cache
def defaults() -> tuple[str, ...]:
    """Return the names of the metrics that every run has."""
    return tuple(sorted(set(_files(__path__)) - {"on_request"}))


@cache
def names() -> tuple[str, ...]:
    """Return the names of autotrack's own metrics."""
    return tuple(sorted((*defaults(), *_files(on_request.__path__))))


def _files(folder: Iterable[str]) -> Iterator[str]:
    files = (module.name for module in pkgutil.iter_modules(folder))
    return (name for name in files if not name.startswith("_"))


def create(wanted: tuple[str, ...] | None, surroundings: Surroundings) -> list[Metric]:
    """Return the metrics called `wanted`; by default all that are on by default.

    A name is a file of this folder, an entry point of the group `autotrack.metrics`, or
    `"package.module:Class"`; `"+name"` adds to the defaults.
    """
    adds = wanted is None or any(name.startswith("+") for name in wanted)
    chosen = list(defaults()) if adds else []
    chosen += [name.lstrip("+") for name in wanted or () if name.lstrip("+") not in chosen]
    return [find(name)(surroundings) for name in chosen]


def find(name: str) -> type[Metric]:
    """Return the metric class for a name.

    Raises UsageError, with the nearest known name, when there is none.
    """
    if ":" in name:
        named: type[Metric] = _from_outside(name)
        return named
    if name in names():
        return _own(name)
    others = {point.name: point for point in entry_points(group="autotrack.metrics")}
    if name in others:
        loaded: type[Metric] = others[name].load()
        return loaded
    near = difflib.get_close_matches(name, [*names(), *others], n=1)
    hint = f"; did you mean {near[0]!r}?" if near else ""
    msg = f"there is no metric {name!r}{hint} Known: {', '.join([*names(), *others])}."
    raise UsageError(msg)


def _from_outside(name: str) -> Any:
    module, _, attribute = name.partition(":")
    try:
        return getattr(importlib.import_module(module), attribute)
    except (ImportError, AttributeError) as error:
        msg = f"there is no metric {name!r}: {error}. Name it as 'package.module:Class'."
        raise UsageError(msg) from error


@cache
def _own(name: str) -> type[Metric]:
    folder = __name__ if name in defaults() else on_request.__name__
    module = importlib.import_module(f"{folder}.{name}")
    classes = (thing for thing in vars(module).values() if isinstance(thing, type))
    for one in classes:
        if issubclass(one, Metric) and one.__module__ == module.__name__:
            return one
    msg = f"{module.__name__} defines no Metric"
    raise UsageError(msg)
