"""Names of classes, where the data set behind a loader says them in plain text."""

from __future__ import annotations

from inspect import getattr_static
from typing import Any

from autotrack.guard import attempt

_MOST_CLASSES = 1000
_MOST_LETTERS = 60
# `Subset` of `Subset` of ...
_DEEPEST = 8


class Classes:
    """The class names of the loaders seen so far, each list once, in order of appearance.

    They are read as torchvision's data sets keep them: `classes`, a list of names in the order of
    the labels. Nothing of a data set is called: properties and `__getattr__` are passed by.
    """

    def __init__(self) -> None:
        self.known: list[list[str]] = []
        self._seen: set[int] = set()

    def look(self, number: int, loader: Any) -> None:
        """Read the names behind a loader, once for each `number`."""
        if number in self._seen:
            return
        self._seen.add(number)
        names = attempt(_names, loader)
        if names is not None and names not in self.known:
            self.known.append(names)

    def names(self, count: int) -> list[str] | None:
        """The names of so many classes; None where no or more than one list fits."""
        fitting = [names for names in self.known if len(names) == count]
        return fitting[0] if len(fitting) == 1 else None


def _names(loader: Any) -> list[str] | None:
    dataset = getattr_static(loader, "dataset", None)
    for _ in range(_DEEPEST):
        # Labels that are changed on their way out may no longer be indices of the names.
        if getattr_static(dataset, "target_transform", None) is not None:
            return None
        names = getattr_static(dataset, "classes", None)
        if names is not None:
            return _checked(names, getattr_static(dataset, "class_to_idx", None))
        dataset = getattr_static(dataset, "dataset", None)
    return None


def _checked(names: Any, indices: Any) -> list[str] | None:
    if type(names) not in (list, tuple) or not 1 < len(names) <= _MOST_CLASSES:
        return None
    if not all(type(name) is str and name for name in names) or len(set(names)) < len(names):
        return None
    if type(indices) is dict and any(indices.get(name) != at for at, name in enumerate(names)):
        return None
    return [name[:_MOST_LETTERS] for name in names]
