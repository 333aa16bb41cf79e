"""Backward calls from places that have led to no step yet: their optimizer may be an unseen one."""

from __future__ import annotations

from typing import TYPE_CHECKING
from weakref import ref

if TYPE_CHECKING:
    from collections.abc import Iterable
    from typing import Any

    from torch import Tensor

    from autotrack.events import TrainBatch

# Backward calls kept while their optimizer has not been seen; more than this never steps.
MOST_UNCLAIMED = 4096


class Unclaimed:
    """Keeps backward calls, each with the tensors whose gradients it reached, for who steps."""

    def __init__(self) -> None:
        self._waiting: list[tuple[TrainBatch, dict[int, ref[Any]], bool]] = []

    def add(self, batch: TrainBatch, leaves: Iterable[Tensor], *, alone: bool) -> None:
        """Keep a backward call; `alone` where no optimizer was known when it came."""
        self._waiting.append((batch, {id(leaf): ref(leaf) for leaf in leaves}, alone))
        del self._waiting[:-MOST_UNCLAIMED]

    def __bool__(self) -> bool:
        return bool(self._waiting)

    @property
    def alone(self) -> bool:
        """Whether a call waits that came before any optimizer was known."""
        return any(alone for _, _, alone in self._waiting)

    def take(self, parameters: Iterable[Tensor], *, first: bool) -> list[TrainBatch]:
        """Return the calls that reached any of `parameters`, for an optimizer that is new.

        The first optimizer of all gets every call where none shows whom it reached.
        """
        held = {id(parameter): parameter for parameter in parameters}
        found = [batch for batch, leaves, _ in self._waiting if _reaches(leaves, held)]
        if not found and first:
            found = [batch for batch, _, _ in self._waiting]
            self._waiting.clear()
        self.forget(held.values())
        return found

    def forget(self, parameters: Iterable[Tensor]) -> None:
        """Let the gradients of `parameters` be used up or discarded: they lead no further."""
        if not self._waiting:
            return
        held = {id(parameter): parameter for parameter in parameters}
        left = []
        for batch, leaves, alone in self._waiting:
            kept = {key: leaf for key, leaf in leaves.items() if leaf() is not held.get(key)}
            if kept or not leaves:
                left.append((batch, kept, alone))
        self._waiting = left


def _reaches(leaves: dict[int, ref[Any]], held: dict[int, Tensor]) -> bool:
    return any(key in held and leaf() is held[key] for key, leaf in leaves.items())
