"""Numbers for living objects. An `id` is given to another object once its first owner has died."""

from __future__ import annotations

from typing import Any
from weakref import ref

from autotrack.guard import attempt


class Identities:
    """Gives every object a number of its own for as long as it lives, and never to another."""

    def __init__(self) -> None:
        self._known: dict[int, tuple[ref[Any], int]] = {}
        self._next = 0

    def of(self, thing: Any) -> int:
        """Return the number of `thing`."""
        known = self._known.get(id(thing))
        if known is not None and known[0]() is thing:
            return known[1]
        self._next += 1
        key = id(thing)
        # An object dies wherever the person's loop happens to be: nothing may be raised there.
        forget = ref(thing, lambda gone: attempt(self._forget, key, gone))
        self._known[key] = (forget, self._next)
        return self._next

    def _forget(self, key: int, gone: ref[Any]) -> None:
        known = self._known.get(key)
        if known is not None and known[0] is gone:
            del self._known[key]


class Registry:
    """Values by living object; an object that has died is forgotten, whoever has its `id` now."""

    def __init__(self) -> None:
        self._known: dict[int, tuple[ref[Any], Any]] = {}

    def get(self, thing: Any) -> Any:
        """Return the value of `thing`, or None."""
        known = self._known.get(id(thing))
        return known[1] if known is not None and known[0]() is thing else None

    def set(self, thing: Any, value: Any) -> None:
        """Remember a value for `thing`."""
        self._known[id(thing)] = (ref(thing), value)

    def forget(self, value: Any) -> None:
        """Drop every object that has this value."""
        # A copy: another thread's run may add to it meanwhile.
        known = list(self._known.items())
        self._known = {key: pair for key, pair in known if pair[1] is not value}
