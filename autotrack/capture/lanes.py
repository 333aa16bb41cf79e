"""The losses of settled steps, in the order they were computed, here or on a device."""

from __future__ import annotations

import math
from contextlib import nullcontext
from typing import TYPE_CHECKING, Any

from autotrack.observers.cuda_graph import graphs

if TYPE_CHECKING:
    from collections.abc import Callable
    from contextlib import AbstractContextManager

    from autotrack.row import Value
    from autotrack.transfer import Places, Transfer


class Lane:
    """Numbers on the CPU, each known at once."""

    def __init__(self, value_of: Callable[[Any], Any]) -> None:
        self._value_of = value_of
        self._values: list[float] = []

    @property
    def is_usable(self) -> bool:
        """Whether a number can be put here now."""
        return True

    def put(self, loss: Any) -> bool:
        """Keep the number of a tensor; False, and nothing is kept, where it is not finite."""
        value = self._value_of(loss)
        if -math.inf < value < math.inf:
            self._values.append(value)
            return True
        return False

    def take(self, count: int) -> Any:
        """Return the first so many numbers, as a list or one on its way, and let go of them."""
        whole, self._values = self._values[:count], self._values[count:]
        return whole

    def value(self, place: int) -> Value | None:
        """Return one number."""
        return self._values[place]

    def on_stream(self) -> AbstractContextManager[Any]:
        """Make the stream current for a while on which the numbers are computed."""
        return nullcontext()


class LaneThere(Lane):
    """Numbers in places on a device, which go home together."""

    def __init__(self, value_of: Callable[[Any], Any], transfer: Transfer, places: Places) -> None:
        super().__init__(value_of)
        self._transfer, self.places = transfer, places
        self._used = 0

    @property
    def is_usable(self) -> bool:
        """Whether the device's stream is the one as before, and no graph is captured from it."""
        return not graphs.capturing and self.places.is_current

    def put(self, loss: Any) -> bool:
        """Keep the number of a tensor without dimensions; False where nothing can be kept."""
        if not self.is_usable:
            return False
        self.places.put(self._used, loss)
        self._used += 1
        return True

    def take(self, count: int) -> Any:
        """Return the first so many numbers, on their way."""
        losses = self._transfer.list_of(self.places.up_to(count))
        # Those of a step under way are the first now.
        for place in range(self._used - count):
            self.places[place].copy_(self.places[count + place])
        self._used -= count
        return losses

    def value(self, place: int) -> Value | None:
        """Return one number."""
        value: Value | None = self._value_of(self.places[place])
        return value

    def on_stream(self) -> AbstractContextManager[Any]:
        """Make the stream of the places current for a while."""
        return self.places.on_stream()


class Lanes:
    """Makes them; the memory of those let go is used again."""

    def __init__(self, value_of: Callable[[Any], Any], transfer: Transfer, length: int) -> None:
        """`length` is how many numbers one on a device has room for."""
        self._value_of, self._transfer, self._length = value_of, transfer, length
        self._before: dict[int, Places] = {}

    def make(self, number: int, loss: Any, *, on_device: bool) -> Lane | None:
        """Return a lane, by its number, for losses like this one.

        None where it is at home, and those before were not.
        """
        if not on_device:
            return Lane(self._value_of)
        if loss.is_cpu and not self._transfer.carries(loss):
            return None
        places = self._before.get(number)
        if places is None or places.device != loss.device or not places.is_current:
            places = self._before[number] = self._transfer.row(loss.device, self._length)
        return LaneThere(self._value_of, self._transfer, places)
