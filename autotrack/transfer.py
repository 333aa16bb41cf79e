"""Numbers on their way home from a device, without anybody waiting for them.

A number is written into a block of device memory by a small kernel, on the stream that the person
uses just then. A flush queues one copy of each block to pinned memory, and an event behind it. When
a later flush sees that the event has happened, the numbers are read and the block is used again.
"""

from __future__ import annotations

import threading
from typing import TYPE_CHECKING, Any
from weakref import ref

import torch

from autotrack.devices import Device
from autotrack.dtensors import whole_of
from autotrack.guard import attempt
from autotrack.pending import Derived, Pending

if TYPE_CHECKING:
    from contextlib import AbstractContextManager

    import numpy as np
    from numpy.typing import NDArray

    from autotrack.row import Value

#: Numbers in one block: 64 kB on the device and as much at home.
BLOCK = 2**13


class Sent(Pending):
    """Some numbers in a block: one, or an array of them."""

    __slots__ = ("_length", "_result", "_start", "arrived")

    def __init__(self, start: int, length: int | None) -> None:
        self.arrived = False
        self._start = start
        self._length = length
        self._result: Any = None

    @property
    def known(self) -> bool:
        """Whether the block has been read."""
        return self.arrived

    def read(self) -> Any:
        """Return a float, or a float64 array of shape [length]; None where it was lost."""
        return self._result

    def take(self, home: Any) -> None:
        """Read the numbers from the block at home, or None where that was never filled."""
        self.arrived = True
        if home is not None and self._length is None:
            self._result = float(home[self._start])
        elif home is not None and self._length is not None:
            self._result = home[self._start : self._start + self._length].astype("float64")


class _Block:
    """Device memory for numbers, and as much at home. Of one stream while it is filled."""

    def __init__(self, device: Device, length: int) -> None:
        # Inside `inference_mode` memory would be made that cannot be written to outside it.
        with torch.inference_mode(mode=False):
            self.there = device.numbers(length)
            self.places = self.there.unbind() if length == BLOCK else ()
            self.home = device.home(length)
        self.device = device
        self.length = length
        self.used = 0
        self.sent: list[Sent] = []
        self.stream: Any = None
        self.event: Any = None

    def leave(self) -> None:
        """Queue the copy home on the stream that filled the block."""
        with self.device.on(self.stream):
            self.event = self.device.copy(self.there[: self.used], self.home[: self.used])

    def arrive(self, *, lost: bool = False) -> None:
        """Hand out the numbers; the block is free again."""
        home = None if lost else self.home.numpy()
        for one in self.sent:
            one.take(home)
        self.sent.clear()
        self.used = 0
        self.event = self.stream = None

    def has_arrived(self) -> bool:
        """Whether the copy is done."""
        return self.event is None or bool(self.event.query())

    def wait(self) -> bool:
        """Wait for the copy; it may never come, where the device has failed."""
        if self.event is not None:
            self.event.synchronize()
        return True


class Places:
    """Places in a row on a device, filled one after another on the stream that is current now."""

    def __init__(self, device: Device, length: int) -> None:
        with torch.inference_mode(mode=False):
            self._there = device.numbers(length)
            self._places = self._there.unbind()
        self._device = device
        self.device = self._there.device
        self._stream, self._number = device.stream(), device.stream_number()

    def put(self, index: int, tensor: torch.Tensor) -> None:
        """Write the number of a tensor without dimensions into a place."""
        self._places[index].copy_(tensor.detach())

    def __getitem__(self, index: int) -> torch.Tensor:
        return self._places[index]

    def up_to(self, length: int) -> torch.Tensor:
        """Return the first so many places, [length]."""
        return self._there[:length]

    @property
    def is_current(self) -> bool:
        """Whether their stream is the current one still."""
        return self._device.stream_number() == self._number

    def on_stream(self) -> AbstractContextManager[Any]:
        """Make their stream the current one for a while."""
        return self._device.on(self._stream)


class Transfer:
    """Carries the numbers of one run home."""

    def __init__(self) -> None:
        self._devices: dict[torch.device, Device] = {}
        self._filling: dict[tuple[torch.device, int], _Block] = {}
        self._under_way: list[_Block] = []
        self._free: dict[torch.device, list[_Block]] = {}
        # `log` may be called by any thread. The processor's own numbers never come here.
        self._lock = threading.RLock()
        self._last: tuple[ref[Any], int, Sent] | None = None
        #: Whether a number was asked for of which this process holds a part.
        self.saw_parts = False

    def value(self, tensor: torch.Tensor) -> Value:
        """Return a one-element tensor's number: at once from the CPU, else on its way.

        Taken now, because loops change losses in place (`loss /= n`) after we have looked.
        """
        if not self.carries(tensor):
            return float(tensor.item())
        last = self._last
        # An inference tensor has no version to tell whether it is still what it was.
        version = None if tensor.is_inference() else tensor._version
        if last is not None and last[1] == version and last[0]() is tensor:
            return last[2]
        with self._lock:
            place, sent = self._place(tensor.device)
            place.copy_(tensor.detach().reshape(()))
        # The criterion's result is mostly the very tensor that backward is called on.
        self._last = None if version is None else (ref(tensor), version, sent)
        return sent

    def value_if_whole(self, tensor: torch.Tensor) -> Value | None:
        """Return a one-element tensor's number; None where this process holds a part of it."""
        if type(tensor) is not torch.Tensor and (tensor := whole_of(tensor)) is None:
            self.saw_parts = True
            return None
        # As most losses are: without a further frame.
        return float(tensor.item()) if not self.carries(tensor) else self.value(tensor)

    def count(self, flags: torch.Tensor) -> Value:
        """Return how many flags are set."""
        if not self.carries(flags):
            return float(flags.sum().item())
        with self._lock:
            place, sent = self._place(flags.device)
            torch.sum(flags, dim=tuple(range(flags.dim())), dtype=place.dtype, out=place)
        return sent

    def numbers(self, tensor: torch.Tensor) -> Pending:
        """Return a tensor's numbers in a row, on their way as an array of shape [numel]."""
        with self._lock:
            places, sent = self.places(tensor.device, tensor.numel())
            places.copy_(tensor.detach().reshape(-1))
        return sent

    def places(self, device: torch.device, length: int) -> tuple[torch.Tensor, Sent]:
        """Return `length` places in a row for a kernel to write into at once, and what they hold.

        The places are float64 (float32 where the device has no such), shape [length].
        """
        with self._lock:
            block = self._block(device, length)
            start = block.used
            block.used += length
            sent = Sent(start, length)
            block.sent.append(sent)
            return block.there[start : start + length], sent

    def list_of(self, tensor: torch.Tensor) -> Pending:
        """Return a tensor's numbers in a row, on their way as a list of floats."""
        return Derived(_listed, self.numbers(tensor))

    @staticmethod
    def carries(tensor: torch.Tensor) -> bool:
        """Whether a tensor's numbers travel: not those of the CPU."""
        return not tensor.is_cpu

    def row(self, device: torch.device, length: int) -> Places:
        """Return places in a row to be filled over time, and sent by `numbers`."""
        return Places(self._device(device), length)

    def wide(self, device: torch.device) -> torch.dtype:
        """Return the widest floating type of a device."""
        return self._device(device).wide

    def _place(self, device: torch.device) -> tuple[torch.Tensor, Sent]:
        block = self._block(device, 1)
        start = block.used
        block.used = start + 1
        sent = Sent(start, None)
        block.sent.append(sent)
        return block.places[start] if block.places else block.there[start], sent

    def _device(self, device: torch.device) -> Device:
        known = self._devices.get(device)
        if known is None:
            known = self._devices[device] = Device(device)
        return known

    def _block(self, device: torch.device, length: int) -> _Block:
        """Return the block that the current stream fills, with room for so many numbers."""
        known = self._device(device)
        key = (device, known.stream_number())
        block = self._filling.get(key)
        if block is not None and block.used + length <= block.length:
            return block
        if block is not None:
            self._send(self._filling.pop(key))
        free = self._free.get(device, [])
        block = free.pop() if free and length <= BLOCK else _Block(known, max(length, BLOCK))
        block.stream = known.stream()
        self._filling[key] = block
        return block

    # -- going home ------------------------------------------------------------------------------

    def send(self) -> None:
        """Start the journey of all numbers written so far."""
        with self._lock:
            self._last = None
            while self._filling:
                self._send(self._filling.popitem()[1])

    def _send(self, block: _Block) -> None:
        block.leave()
        self._under_way.append(block)

    def receive(self) -> None:
        """Read what has arrived, without waiting for the rest."""
        with self._lock:
            self._arrive([block for block in self._under_way if block.has_arrived()])

    def wait(self) -> None:
        """Wait until everything is home; what a failed device never sends is lost."""
        with self._lock:
            arrived = [block for block in self._under_way if attempt(block.wait)]
            self._arrive(arrived)
            for block in self._under_way:
                block.arrive(lost=True)
            self._under_way.clear()

    def _arrive(self, arrived: list[_Block]) -> None:
        for block in arrived:
            self._under_way.remove(block)
            block.arrive()
            if block.length == BLOCK:
                self._free.setdefault(block.there.device, []).append(block)


def _listed(numbers: NDArray[np.float64]) -> list[float]:
    found: list[float] = numbers.tolist()
    return found
