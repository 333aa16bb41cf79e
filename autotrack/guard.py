"""The only broad `except`: a failure of ours is switched off and said once."""

from __future__ import annotations

import logging
from typing import TYPE_CHECKING, ParamSpec, TypeVar

if TYPE_CHECKING:
    from collections.abc import Callable

P = ParamSpec("P")
R = TypeVar("R")
T = TypeVar("T")

# Not `warnings`: under `python -W error` a warning would be raised into the person's loop.
log = logging.getLogger("autotrack")


class Guard:
    """Calls autotrack's own parts; one that raises is reported once and never called again."""

    def __init__(self, *, strict: bool = False) -> None:
        self.strict = strict
        self.failed: dict[str, str] = {}

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

    def protect(self, part: str, function: Callable[[T], object]) -> Callable[[T], None]:
        """Return `function` guarded like `call`, for what runs at every step."""
        failed = self.failed

        def protected(argument: T) -> None:
            if part in failed:
                return
            try:
                function(argument)
            except Exception as error:
                if self.strict:
                    raise
                self.switch_off(part, error)

        return protected

    def switch_off(self, part: str, error: BaseException) -> None:
        """Remember that `part` failed and say so, once."""
        if part in self.failed:
            return
        self.failed[part] = f"{type(error).__name__}: {error}"
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
