"""Copies of criterion calls of one shape, so that many are counted together.

In the loop counting costs several operations, each of them cold; a copy into memory that is there
already costs one.
"""

from __future__ import annotations

from ctypes import memmove
from typing import TYPE_CHECKING, Any

import numpy as np
import torch

if TYPE_CHECKING:
    from collections.abc import Callable

    from numpy.typing import NDArray

    Full = Callable[[], object]

# What both copies of a ring may take, and how many calls it must hold to be worth it.
_BYTES, _BYTES_THERE = 1 << 18, 1 << 23
_MOST, _LEAST = 256, 4
_NUMPYS = {
    torch.float32: np.float32,
    torch.float64: np.float64,
    torch.int64: np.int64,
    torch.int32: np.int32,
    torch.uint8: np.uint8,
}


class _Lane:
    """Memory for as many tensors as there are calls, all of one shape and type."""

    def __init__(self, like: torch.Tensor, size: int, calls: int) -> None:
        # Not a tensor's memory: Python may find a run that was never ended only when it exits
        # itself, and tensors must not be what it takes apart then.
        known = _NUMPYS.get(like.dtype)
        self._memory: NDArray[Any] = (
            np.empty((calls, size), np.uint8)
            if known is None
            else np.empty((calls, *like.shape), known)
        )
        self.start = self._memory.ctypes.data
        self._typed, self._shape, self._dtype = known is not None, like.shape, like.dtype

    def tensors(self, first: int, last: int) -> torch.Tensor:
        """Return some of them, [calls, ...], without a copy."""
        raw = torch.from_numpy(self._memory[first:last])
        return raw if self._typed else raw.view(self._dtype).view(last - first, *self._shape)


class Ring:
    """Room for some calls, `used` of which are taken; `full` is called where there is no more.

    All calls have the shapes and types of the first, are contiguous and on its device.
    """

    def __init__(self, prediction: torch.Tensor, target: torch.Tensor, most_bytes: int) -> None:
        self.sizes = _bytes_of(prediction), _bytes_of(target)
        self.calls = min(_MOST, most_bytes // max(sum(self.sizes), 1))
        self.fits = self.calls >= _LEAST and all(self.sizes)
        #: How many calls are taken before it is full.
        self.room = self.calls
        self.used = 0
        self.full: Full | None = None
        self.kind = _kind_of(prediction, target)

    def add(self, prediction: torch.Tensor, target: torch.Tensor) -> None:
        """Copy a call to the next place."""
        raise NotImplementedError

    def take(self, first: int = 0) -> tuple[torch.Tensor, torch.Tensor]:
        """Return predictions and targets [calls, ...] from call `first` on, and free their places.

        They are views: what is added next stands in them.
        """
        raise NotImplementedError


class _RingHere(Ring):
    """Copies on the CPU."""

    def __init__(self, prediction: torch.Tensor, target: torch.Tensor) -> None:
        super().__init__(prediction, target, _BYTES)
        if self.fits:
            sizes = self.sizes
            self._predictions = _Lane(prediction, sizes[0], self.calls)
            self._targets = _Lane(target, sizes[1], self.calls)
            self._places = (self._predictions.start, sizes[0], self._targets.start, sizes[1])

    def add(self, prediction: torch.Tensor, target: torch.Tensor) -> None:
        """Copy a call to the next place."""
        if self.used == self.room:
            # Whatever happens, nothing is written beyond the last place.
            assert self.full is not None
            self.full()
        used = self.used
        start, size, target_start, target_size = self._places
        # Plain bytes: a tensor's own copy goes through three times as much code, all of it cold.
        memmove(start + used * size, prediction.data_ptr(), size)
        memmove(target_start + used * target_size, target.data_ptr(), target_size)
        self.used = used + 1

    def take(self, first: int = 0) -> tuple[torch.Tensor, torch.Tensor]:
        """Return some calls and free their places."""
        last, self.used = self.used, first
        return self._predictions.tensors(first, last), self._targets.tensors(first, last)


class _RingThere(Ring):
    """Copies on a device, two small kernels a call; whoever takes them uses the same stream."""

    def __init__(self, prediction: torch.Tensor, target: torch.Tensor) -> None:
        super().__init__(prediction, target, _BYTES_THERE)
        if self.fits:
            with torch.inference_mode(mode=False):
                self._predictions = prediction.new_empty((self.calls, *prediction.shape))
                self._targets = target.new_empty((self.calls, *target.shape))
            self._places = list(
                zip(self._predictions.unbind(), self._targets.unbind(), strict=True)
            )

    def add(self, prediction: torch.Tensor, target: torch.Tensor) -> None:
        """Copy a call to the next place."""
        if self.used == self.room:
            assert self.full is not None
            self.full()
        predicted, wanted = self._places[self.used]
        predicted.copy_(prediction.detach())
        wanted.copy_(target)
        self.used += 1

    def take(self, first: int = 0) -> tuple[torch.Tensor, torch.Tensor]:
        """Return some calls and free their places."""
        last, self.used = self.used, first
        return self._predictions[first:last], self._targets[first:last]


class Rings:
    """The last room that was let go, for calls of its kind: fresh memory costs a page at a time."""

    def __init__(self) -> None:
        self._free: Ring | None = None

    def get(
        self, prediction: torch.Tensor, target: torch.Tensor, full: Full, together: int
    ) -> Ring | None:
        """Return room for calls like this one, where its tensors are; None if they are too big.

        It is full only after so many of them as stand `together`, or a multiple.
        """
        ring, self._free = self._free, None
        if ring is None or ring.kind != _kind_of(prediction, target):
            ring = (_RingHere if prediction.is_cpu else _RingThere)(prediction, target)
        ring.full, ring.used = full, 0
        ring.room = ring.calls - ring.calls % together
        return ring if ring.fits and ring.room else None

    def put_back(self, ring: Ring) -> None:
        """Keep room that is empty, and let go of whom it belonged to."""
        ring.full = None
        # A device keeps freed memory itself, and knows which stream may have it next.
        self._free = ring if isinstance(ring, _RingHere) else None


def _kind_of(prediction: torch.Tensor, target: torch.Tensor) -> tuple[object, ...]:
    return tuple((one.shape, one.dtype, one.device) for one in (prediction, target))


def _bytes_of(tensor: torch.Tensor) -> int:
    return tensor.numel() * tensor.element_size()
