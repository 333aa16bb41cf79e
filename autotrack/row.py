"""One point of the record while it is being filled: values may still be on a device."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any, Union

if TYPE_CHECKING:
    from autotrack.pending import Pending

#: A number that is known (a float), or one on its way from a device.
Value = Union[float, "Pending"]


@dataclass(slots=True)
class Row:
    """What one event of the record will hold; `x` is its place on the axis of its series."""

    x: int
    time: float
    scalars: list[tuple[str, Any]] = field(default_factory=list)
    histograms: list[tuple[str, Any]] = field(default_factory=list)
    texts: list[tuple[str, str]] = field(default_factory=list)
    hidden: list[tuple[str, Any]] = field(default_factory=list)
    images: list[tuple[str, Any]] = field(default_factory=list)
    curves: list[tuple[str, Any]] = field(default_factory=list)
    graph: list[Any] = field(default_factory=list)
    ended: str = ""
    #: Not 0 where the step turns out to be none: only a device knows whether its scaler skipped it.
    skipped: Value = 0.0

    def add(self, tag: str, value: Value) -> None:
        """Add one scalar: a float, a number on its way, or a one-element tensor."""
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
