"""The batch that is used now: the last that a loader gave, or one before where some draw ahead.

A prefetcher, or a loader that wants to know which batch is its last, takes a batch more than it
hands on; the last one is used after the loader's end.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import torch

from autotrack.contents import parts_of
from autotrack.guard import attempt

if TYPE_CHECKING:
    from autotrack.timeline import LoaderClock, LoaderPass


class InHand:
    """What loaders gave last: `loader` by number, the `size` of its batch.

    `batch` is kept until the next one only, and only where labels may be needed: outside training.
    """

    def __init__(self, loaders: LoaderClock) -> None:
        self._loaders = loaders
        self.loader: int | None = None
        self.batch: Any = None
        self.size: int | None = None
        #: The number of the batch, over all loaders.
        self.drawn = 0
        # The batch before, and what of a pass that is over has not been used.
        self._before: Any = None
        self._left: Any = None
        self._size_before: int | None = None
        # Batches that came since one was used, and the pass in which that was more than one.
        self._unused = 0
        self._ahead = 0

    @property
    def current(self) -> LoaderPass | None:
        """The pass of the loader that gave a batch last."""
        return self._loaders.passes.get(self.loader) if self.loader is not None else None

    def pass_started(self) -> None:
        """A pass over some loader starts: the batch in hand is done with."""
        self._unused, self._left = 0, None

    def came(self, loader: int, batch: Any, size: int | None) -> None:
        """A loader gives a batch."""
        self.drawn += 1
        self._unused = self._unused + 1 if self.loader == loader else 1
        self.loader = loader
        self.size, self._size_before = size, self.size
        before, self.batch = self.batch, None if self._loaders.in_training_pass(loader) else batch
        # Whoever draws ahead holds it as well; else a batch that is done with must go.
        self._before = before if self._unused > 1 or self.draws_ahead else None

    def pass_ended(self) -> None:
        """A loader has no more: a batch that was drawn ahead is still to be used."""
        self._left = self.batch if self.draws_ahead else None
        self.batch = self._before = None

    def forget(self) -> None:
        """Training goes on: no label is needed."""
        self.batch = self._before = self._left = None

    def holds(self, tensor: Any) -> bool:
        """Whether a tensor lies in the memory of the batch, or on a device: there nothing says."""
        own = _memory_of(tensor)
        if own is None or self.batch is None:
            return False
        parts = parts_of(self.batch)
        inner = [one for part in parts for one in parts_of(part)]
        return not tensor.is_cpu or any(_memory_of(one) == own for one in [*parts, *inner])

    def use(self) -> bool:
        """Whether the batch that is used now was drawn ahead."""
        unused, self._unused = self._unused, 0
        current = self.current
        if current is not None and unused > 1:
            self._ahead = current.serial
        return self.draws_ahead

    @property
    def draws_ahead(self) -> bool:
        """Whether in the running pass the batch that is used now is the one before."""
        current = self.current
        return current is not None and current.serial == self._ahead

    def drawn_ahead(self) -> Any:
        """Return the batch that is used where they are drawn ahead by one, else None."""
        left, self._left = self._left, None
        return self._before if left is None else left

    def size_in_training(self, *, again: bool) -> int | None:
        """Return how many samples the loader says are in the batch that a backward call uses.

        None where that is not plain: it comes `again`, or another size was drawn ahead of its use.
        """
        ahead = self.use()
        if again:
            left = ahead and self.loader is not None and self._loaders.has_one_left(self.loader)
            return self.size if left else None
        return self.size if not ahead or self.size == self._size_before else None


def _memory_of(tensor: Any) -> int | None:
    """Return where the memory begins that a tensor and its views lie in."""
    if not isinstance(tensor, torch.Tensor) or tensor.layout is not torch.strided:
        return None
    storage = attempt(tensor.untyped_storage)
    return None if storage is None else storage.data_ptr()
