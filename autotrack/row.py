"""One point of the record while it is being filled: values may still be on a device."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any, Union

if TYPE_CHECKING:
    from torch import Tensor

#: A number that is known (a float) or will be (a 0-d tensor, fetched at the next flush).
Value = Union[float, "Tensor"]


@dataclass(slots=True)
class Row:
    """What one event of the record will hold; `x` is its place on the axis of its series."""

    x: int
    time: float
    scalars: list[tuple[str, Value]] = field(default_factory=list)
    histograms: list[tuple[str, Any]] = field(default_factory=list)
    texts: list[tuple[str, str]] = field(default_factory=list)
    hidden: list[tuple[str, Any]] = field(default_factory=list)
    images: list[tuple[str, Any]] = field(default_factory=list)
    curves: list[tuple[str, Any]] = field(default_factory=list)
    graph: list[Any] = field(default_factory=list)
    ended: str = ""

    def add(self, tag: str, value: Value) -> None:
        """Add one scalar."""
        self.scalars.append((tag, value))

    def __bool__(self) -> bool:
        return bool(
            self.scalars
            or self.histograms
            or self.texts
            or self.hidden
            or self.images
            or self.curves
            or self.graph
            or self.ended
        )
