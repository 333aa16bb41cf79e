"""What a person states because it cannot be seen: the criterion, the epoch, the phase."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from autotrack import frames
from autotrack.guard import attempt

if TYPE_CHECKING:
    from collections.abc import Callable


@dataclass(frozen=True, slots=True, eq=False, repr=False)
class Stated:
    """Variables by name, or functions that answer; None where nothing is stated."""

    epoch: str | Callable[[], Any] | None = None
    phase: str | Callable[[], Any] | None = None

    def epoch_now(self, boundary: int | None) -> int | None:
        """Return the stated epoch as it is now, if it is a whole number."""
        value = _answer(self.epoch, boundary)
        return value if type(value) is int else None

    def phase_now(self, boundary: int | None) -> str | None:
        """Return the stated phase as it is now, if it is a string."""
        value = _answer(self.phase, boundary)
        return value if isinstance(value, str) and value else None


def _answer(stated: str | Callable[[], Any] | None, boundary: int | None) -> Any:
    if stated is None:
        return None
    if not isinstance(stated, str):
        return attempt(stated)
    for frame in frames.person_frames(boundary):
        value = frames.variable(frame, stated)
        if value is not None:
            return value
    return None
