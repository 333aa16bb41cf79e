"""The only broad `except`: a failure of ours is switched off and said once."""

from __future__ import annotations

import logging
from collections.abc import Callable
from typing import Any, ParamSpec, TypeVar

P = ParamSpec("P")
R = TypeVar("R")
#: By the type of what is handed out: who takes it, with the name of the part they belong to.
Handlers = dict[type, list[tuple[str, Callable[[Any], object]]]]

# Not `warnings`: under `python -W error` a warning would be raised into the person's loop.
log = logging.getLogger("autotrack")


class Guard:
    """Calls autotrack's own parts; one that raises is reported once and never called again."""

    def __init__(self, *, strict: bool = False) -> None:
        self.strict = strict
        self.failed: dict[str, str] = {}
        self._handed_out: list[Handlers] = []

    def call(
        self, part: str, function: Callable[P, R], *args: P.args, **kwargs: P.kwargs
    ) -> R | None:
        """Return `function(*args)`, or None when it raises or its part is already off.

        With `strict` the exception passes through.
        """
        if part in self.failed:
            return None
        try:
            return function(*args, **kwargs)
        except Exception as error:
            if self.strict:
                raise
            self.switch_off(part, error)
            return None

    def watched(
        self, function: Callable[..., bool], broken: Callable[[Exception], bool]
    ) -> Callable[..., bool]:
        """Return `function` for those who must not hear of its failing: `broken` answers then."""

        def watched(*args: Any) -> bool:
            try:
                return function(*args)
            except Exception as error:
                if self.strict:
                    raise
                return broken(error)

        return watched

    def hand_out(self, handlers: Handlers) -> Callable[[Any], None]:
        """Return a function that hands a thing to the handlers of its type, each guarded.

        This is the way of every event: one frame however many listen. A part that raises is taken
        out of `handlers`.
        """
        self._handed_out.append(handlers)

        def hand(thing: Any) -> None:
            for part, handler in handlers.get(type(thing), ()):
                try:
                    handler(thing)
                except Exception as error:
                    if self.strict:
                        raise
                    self.switch_off(part, error)

        return hand

    def switch_off(self, part: str, error: BaseException) -> None:
        """Remember that `part` failed and say so, once."""
        if part in self.failed:
            return
        self.failed[part] = f"{type(error).__name__}: {error}"
        for handlers in self._handed_out:
            for kind, pairs in handlers.items():
                # A new list: somebody may be going through the old one.
                handlers[kind] = [pair for pair in pairs if pair[0] != part]
        log.warning(
            "%s failed and is switched off; your training goes on. (%s)",
            part,
            self.failed[part],
            exc_info=error if log.isEnabledFor(logging.DEBUG) else None,
        )


def attempt(function: Callable[P, R], *args: P.args, **kwargs: P.kwargs) -> R | None:
    """Return `function(*args)`, or None when looking at a person's object raised.

    For reading foreign objects only (properties, `__len__`), where any error means "not known".
    """
    try:
        return function(*args, **kwargs)
    except Exception:  # noqa: BLE001 - a foreign property may raise anything
        return None
