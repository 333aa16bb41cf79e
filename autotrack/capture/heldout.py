"""Batches drawn once, before training, to look at again and again: `next(iter(val_loader))`.

When a model is given the very tensor of such a batch between two steps, that batch's labels are
the ones it is compared with. What was drawn since the last step may be training's own.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any
from weakref import ref

import torch

from autotrack.contents import parts_of

if TYPE_CHECKING:
    from autotrack.timeline import LoaderClock

# Loaders whose first batch is remembered; where each step makes one anew the oldest is forgotten.
_MOST = 8


class HeldOut:
    """The first batch of the last pass of each loader, for as long as the person holds it."""

    def __init__(self, loaders: LoaderClock) -> None:
        self._loaders = loaders
        self._new: dict[int, list[ref[Any]]] = {}
        self._first: dict[int, list[ref[Any]]] = {}

    def came(self, loader: int, batch: Any) -> None:
        """A loader gives a batch outside training."""
        current = self._loaders.passes.get(loader)
        if current is None or current.batches:
            return
        self._first.pop(loader, None)
        tensors = [part for part in parts_of(batch) if isinstance(part, torch.Tensor)]
        self._new[loader] = [ref(tensor) for tensor in tensors]

    def training_goes_on(self) -> None:
        """A training step: what was drawn before it may be looked at from now on."""
        self._first.update(self._new)
        self._new.clear()
        while len(self._first) > _MOST:
            del self._first[next(iter(self._first))]

    def any(self) -> bool:
        """Whether there is such a batch, of a loader that training does not use."""
        return any(
            loader not in self._loaders.trained and held and held[0]() is not None
            for loader, held in self._first.items()
        )

    def batch_of(self, given: tuple[Any, ...]) -> list[Any] | None:
        """Return the tensors of the batch of which `given` is one, None where it is of none."""
        for loader, held in self._first.items():
            batch = [tensor() for tensor in held]
            shared = any(one is other for one in batch if one is not None for other in given)
            if shared and loader not in self._loaders.trained:
                return batch
        return None
