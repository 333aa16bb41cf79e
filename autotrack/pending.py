"""Numbers that are on their way from a device, and what is reckoned from them on arrival.

Whoever reckons with a loss writes the same lines for a float and for a number that is still on its
way: arithmetic with the latter gives another one, worked out at home, in double precision, in the
order in which it was written. A device runs no kernel for it.
"""

from __future__ import annotations

import operator
from functools import partial
from typing import TYPE_CHECKING, Any, Generic, TypeVar

if TYPE_CHECKING:
    from collections.abc import Callable

    from autotrack.row import Value

T = TypeVar("T")

# A sum lets go of what has arrived whenever so many of its numbers are waiting.
_MOST_WAITING = 256


class Pending:
    """A number that will be known; None in the end where it could not be known."""

    __slots__ = ()

    @property
    def known(self) -> bool:
        """Whether it has arrived."""
        raise NotImplementedError

    def read(self) -> Any:
        """Return the number, once known."""
        raise NotImplementedError

    def __add__(self, other: Value) -> Pending:
        return Derived(operator.add, self, other)

    def __radd__(self, other: Value) -> Pending:
        return Derived(operator.add, other, self)

    def __sub__(self, other: Value) -> Pending:
        return Derived(operator.sub, self, other)

    def __mul__(self, other: Value) -> Pending:
        return Derived(operator.mul, self, other)

    def __rmul__(self, other: Value) -> Pending:
        return Derived(operator.mul, other, self)

    def __truediv__(self, other: Value) -> Pending:
        return Derived(operator.truediv, self, other)

    def __pow__(self, other: float) -> Pending:
        return Derived(operator.pow, self, other)

    def __neg__(self) -> Pending:
        return Derived(operator.neg, self)


class Derived(Pending):
    """`function` of some inputs, called once all of them are known.

    None where an input is None, and where a division by zero is asked for.
    """

    __slots__ = ("_function", "_inputs", "_result")

    def __init__(self, function: Callable[..., Any], *inputs: Any) -> None:
        self._function: Callable[..., Any] | None = function
        self._inputs = inputs
        self._result: Any = None

    @property
    def known(self) -> bool:
        """Whether all inputs have arrived."""
        return self._function is None or all(is_known(value) for value in self._inputs)

    def read(self) -> Any:
        """Return the function's result; the inputs are let go."""
        function = self._function
        if function is not None:
            values = [read(value) for value in self._inputs]
            self._function, self._inputs = None, ()
            if all(value is not None for value in values):
                try:
                    self._result = function(*values)
                except ZeroDivisionError:
                    self._result = None
        return self._result


class Listed(Pending):
    """A list of numbers each of which may be on its way, or turn out not to be known."""

    __slots__ = ("_values",)

    def __init__(self, values: list[Any]) -> None:
        self._values = values

    @property
    def known(self) -> bool:
        """Whether all of them have arrived."""
        return all(is_known(value) for value in self._values)

    def read(self) -> list[Any]:
        """Return them, None for each that could not be known."""
        return [read(value) for value in self._values]


class Total(Generic[T]):
    """A sum that grows. What is on its way joins it on arrival, in the order it was added.

    So the sum is rounded as if everything had been known at once, and of a long pass only what is
    still on its way is kept.
    """

    __slots__ = ("_known", "_waiting")

    def __init__(self, start: T | None = None) -> None:
        self._known: Any = start
        self._waiting: list[Any] = []

    def add(self, value: T | Pending) -> None:
        """Add a number, or anything else that can be added."""
        if self._waiting or isinstance(value, Pending):
            self._waiting.append(value)
            if len(self._waiting) % _MOST_WAITING == 0:
                self._let_in()
        else:
            self._known = value if self._known is None else self._known + value

    def add_all(self, values: Any) -> None:
        """Add a list of numbers, one after another; the list may be on its way."""
        if isinstance(values, Pending):
            self._waiting.append(Derived(_Several, values))
        elif self._waiting:
            self._waiting.append(_Several(values))
        else:
            self._known = _sum(self._known, *values)

    def _let_in(self) -> None:
        arrived = 0
        for value in self._waiting:
            # What was lost on its way stays, so that the sum is seen to lack it.
            if not is_known(value) or read(value) is None:
                break
            arrived += 1
        self._known = _sum(self._known, *map(read, self._waiting[:arrived]))
        del self._waiting[:arrived]

    @property
    def value(self) -> Any:
        """The sum so far: what was added, or a number on its way; None where nothing was."""
        if not self._waiting:
            return self._known
        return Derived(partial(_sum, self._known), *self._waiting)


class _Several(list):  # type: ignore[type-arg]
    """Numbers that a sum takes one after another."""

    __slots__ = ()


def _sum(total: Any, *values: Any) -> Any:
    for value in values:
        if isinstance(value, _Several):
            total = _sum(total, *value)
        else:
            total = value if total is None else total + value
    return total


def when_known(function: Callable[..., Any], *inputs: Any) -> Any:
    """Return what `function` makes of its inputs: at once, or as a number that waits for them."""
    if any(isinstance(value, Pending) for value in inputs):
        return Derived(function, *inputs)
    return function(*inputs)


def is_known(value: Any) -> bool:
    """Whether a number has arrived; one that never travelled has."""
    return not isinstance(value, Pending) or value.known


def read(value: Any) -> Any:
    """Return a known number."""
    return value.read() if isinstance(value, Pending) else value
