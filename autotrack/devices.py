"""What autotrack asks of a device: memory there and at home, its streams, and when a copy is done.

`cuda`, `xpu` and `mps` have the same names for it in `torch.<type>`. A device that offers no events
is waited for, but only where its values are due.
"""

from __future__ import annotations

from contextlib import nullcontext
from functools import partial
from typing import TYPE_CHECKING, Any

import torch

if TYPE_CHECKING:
    from contextlib import AbstractContextManager


class Device:
    """One device, as the current thread uses it."""

    def __init__(self, device: torch.device) -> None:
        self._device = device
        self._interface: Any = getattr(torch, device.type, None)
        index = device.index or 0
        # Reading the number of the current stream makes no Python object of the stream.
        raw = getattr(torch._C, f"_{device.type}_getCurrentRawStream", None)
        self._raw_stream = self._no_stream if raw is None else partial(raw, index)
        #: The widest numbers it reckons with.
        self.wide = torch.float32 if device.type == "mps" else torch.float64

    @staticmethod
    def _no_stream() -> int:
        return 0

    def stream_number(self) -> int:
        """Return a number that tells the current stream from others."""
        return int(self._raw_stream())

    def stream(self) -> Any:
        """Return the current stream, or None where the device has just one."""
        current = getattr(self._interface, "current_stream", None)
        return None if current is None else current(self._device)

    def on(self, stream: Any) -> AbstractContextManager[Any]:
        """Make a stream the current one for a while."""
        if stream is None:
            return nullcontext()
        entered: AbstractContextManager[Any] = self._interface.stream(stream)
        return entered

    def numbers(self, length: int) -> torch.Tensor:
        """Return memory for numbers on the device."""
        return torch.zeros(length, dtype=self.wide, device=self._device)

    def home(self, length: int) -> torch.Tensor:
        """Return memory for as many at home, which the device can write into by itself."""
        memory = torch.empty(length, dtype=self.wide, device="cpu")
        return memory.pin_memory() if self._has_events else memory

    @property
    def _has_events(self) -> bool:
        return hasattr(self._interface, "Event")

    def copy(self, there: torch.Tensor, home: torch.Tensor) -> Any:
        """Start copying on the current stream; returns the event that says when it is done.

        None where the copy is done already.
        """
        home.copy_(there, non_blocking=self._has_events)
        if not self._has_events:
            return None
        event = self._interface.Event()
        event.record()
        return event
