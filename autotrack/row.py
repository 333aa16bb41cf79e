"""One point of the record while it is being filled: values may still be on a device."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, Union

if TYPE_CHECKING:
    from autotrack.pending import Pending

#: A number that is known (a float), or one on its way from a device.
Value = Union[float, "Pending"]


class Row:
    """What one event of the record will hold; `x` is its place on the axis of its series."""

    __slots__ = (
        "by_steps",
        "counted",
        "curves",
        "ended",
        "graph",
        "hidden",
        "histograms",
        "images",
        "scalars",
        "skipped",
        "texts",
        "time",
        "x",
    )

    def __init__(self, x: int, time: float, **values: Any) -> None:
        self.x = x
        self.time = time
        self.scalars: list[tuple[str, Any]] = []
        self.histograms: list[tuple[str, Any]] = []
        self.texts: list[tuple[str, str]] = []
        self.hidden: list[tuple[str, Any]] = []
        self.images: list[tuple[str, Any]] = []
        self.curves: list[tuple[str, Any]] = []
        self.graph: list[Any] = []
        self.ended = ""
        #: Not 0 where the step turns out to be none: only a device knows if its scaler skipped it.
        self.skipped: Value = 0.0
        #: Streams with their steps so far, of which some may turn out to be none; empty where that
        #: cannot be. Where `by_steps`, `x` is the largest of them, or the one before it.
        self.counted: tuple[tuple[Any, int], ...] = ()
        self.by_steps = False
        for name, value in values.items():
            setattr(self, name, value)

    def add(self, tag: str, value: Value) -> None:
        """Add one scalar: a float, a number on its way, or a one-element tensor."""
        self.scalars.append((tag, value))

    @property
    def has_only_scalars(self) -> bool:
        """Whether there is nothing in it but scalars."""
        return not (
            self.hidden
            or self.histograms
            or self.texts
            or self.images
            or self.curves
            or self.graph
            or self.ended
        )

    def __bool__(self) -> bool:
        return bool(self.scalars) or not self.has_only_scalars
