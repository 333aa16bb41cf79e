"""Scales of the page's charts: limits and ticks of values and of the course of the run."""

from __future__ import annotations

import math
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING

import numpy as np
from numpy.typing import NDArray

from autotrack.reports.scales import PlainNumbers, PowersOfTen, Steps, wants_log

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

    from autotrack.reports.positions import TimeAxis

Floats = NDArray[np.float64]

_MOST_SPANS = 14
# Labels of an axis: how many at most, how far apart, how wide a letter, as the script has them too.
_MOST_LABELS = 8
_PIXELS_A_LABEL = 70
_HALF_A_LETTER, _BETWEEN = 3.8, 5.0
_ROOM = 0.06


@dataclass(frozen=True)
class Tick:
    """A label at `place`, a share of the axis from its start; `line`: whether a line is drawn."""

    place: float
    label: str
    line: bool = True


@dataclass(frozen=True)
class ValueScale:
    """Limits of a value axis, as values; with `log` in equal steps of their logarithm."""

    low: float
    high: float
    log: bool

    @classmethod
    def of(
        cls, values: Sequence[NDArray[np.floating]], *, log: bool | None, zero: bool
    ) -> ValueScale:
        """The scale of some values; `log` None leaves the choice to them, `zero` includes 0."""
        logarithmic = wants_log(values) if log is None else log
        shown = [v[np.isfinite(v) & ((v > 0) if logarithmic else True)] for v in values]
        known = np.concatenate(shown).astype(np.float64) if shown else np.empty(0)
        if not len(known):
            return cls(0.0, 1.0, log=False)
        low, high = float(known.min()), float(known.max())
        if logarithmic:
            room = _ROOM * max(math.log10(high / low), 0.5)
            return cls(low * 10**-room, high * 10**room, log=True)
        if zero:
            low, high = min(low, 0.0), max(high, 0.0)
        spread = high - low
        if spread <= 1e-6 * max(abs(low), abs(high)):
            spread = abs(high) or 1.0
            return cls(low - 0.1 * spread, high + 0.1 * spread, log=False)
        below = 0.0 if zero and low == 0 else _ROOM
        return cls(low - below * spread, high + _ROOM * spread, log=False)

    def share(self, values: Floats) -> Floats:
        """Where values stand between low (0) and high (1); NaN where they cannot be drawn."""
        finite = np.isfinite(values) & ((values > 0) if self.log else True)
        values = np.where(finite, values, np.nan)
        if not self.log:
            return (values - self.low) / (self.high - self.low)
        low, high = math.log10(self.low), math.log10(self.high)
        shares: Floats = (np.log10(values) - low) / (high - low)
        return shares

    def ticks(self, about: int = 5) -> list[Tick]:
        """Ticks at round values."""
        if self.log:
            values = _log_values(math.log10(self.low), math.log10(self.high))
            labels = PowersOfTen().format_ticks(values)
        else:
            values = round_values(self.low, self.high, about)
            labels = PlainNumbers().format_ticks(values)
        places = self.share(np.array(values, np.float64))
        return [Tick(float(p), text) for p, text in zip(places, labels, strict=True)]


def round_values(low: float, high: float, about: int, *, whole: bool = False) -> list[float]:
    """Multiples of 1, 2, 2.5 or 5 times a power of ten, about so many; `whole` ones as asked."""
    rough = (high - low) / about
    power = 10.0 ** math.floor(math.log10(rough))
    if whole:
        power = max(power, 1.0)
    factors = (1, 2, 5, 10) if whole else (1, 2, 2.5, 5, 10)
    step = next(f * power for f in factors if f * power >= rough * 0.999)
    first = math.ceil(low / step - 1e-9)
    last = math.floor(high / step + 1e-9)
    return [number * step for number in range(first, last + 1)]


def _log_values(low: float, high: float) -> list[float]:
    powers = range(math.ceil(low), math.floor(high) + 1)
    stride = max(1, -(-len(powers) // 6))
    if len(powers) > 1:
        return [10.0**power for power in powers if power % stride == 0]
    around = range(math.floor(low), math.ceil(high) + 1)
    values = [factor * 10.0**power for power in around for factor in (1, 2, 5)]
    return [value for value in values if low <= math.log10(value) <= high]


@dataclass(frozen=True)
class RunScale:
    """The course of the run from left to right: positions as in `TimeAxis`."""

    axis: TimeAxis
    low: float
    high: float

    @classmethod
    def of(cls, axis: TimeAxis, lines: Sequence[Floats] = ()) -> RunScale:
        """The whole run, and all of `lines`: a record may not tell how far its streams went."""
        low, high = axis.limits()
        ends = [x[np.isfinite(x)] for x in lines]
        known = np.concatenate([np.array([low, high]), *ends])
        return cls(axis, float(known.min()), float(known.max()))

    def share(self, positions: Floats) -> Floats:
        """Where positions stand between the start (0) and the end (1)."""
        return (positions - self.low) / (self.high - self.low)

    def place(self, position: float) -> float:
        """Where one position stands."""
        return (position - self.low) / (self.high - self.low)

    @property
    def label(self) -> str:
        """What the ticks count."""
        return self.axis.label

    def ticks(self, pixels: int) -> list[Tick]:
        """Epochs where the run has some, else steps; only what lies on an axis of so many pixels.

        A label that would touch the one before it is left out, its line is not.
        """
        many = min(_MOST_LABELS, max(2, pixels // _PIXELS_A_LABEL))
        on_axis = [tick for tick in self._ticks(many) if -1e-6 <= tick.place <= 1 + 1e-6]
        return list(_apart(on_axis, pixels))

    def _ticks(self, many: int) -> list[Tick]:
        epochs = self.axis.epochs
        if epochs is None or self.axis.by_epoch:
            values = [v for v in round_values(self.low, self.high, many, whole=True) if v >= 0]
            labels = Steps().format_ticks(values)
            return [Tick(self.place(v), text) for v, text in zip(values, labels, strict=True)]
        if len(epochs.numbers) <= _MOST_SPANS:
            edges = np.append(epochs.starts, max(epochs.total, epochs.starts[-1] + 1))
            middles = (edges[:-1] + edges[1:]) / 2
            lines = [Tick(self.place(float(edge)), "") for edge in edges]
            names = zip(middles, epochs.numbers, strict=True)
            return [*lines, *(Tick(self.place(float(m)), str(n), line=False) for m, n in names)]
        wanted = {
            int(v) for v in round_values(epochs.numbers[0], epochs.numbers[-1], many, whole=True)
        }
        starts = zip(epochs.starts, epochs.numbers, strict=True)
        return [Tick(self.place(float(s)), str(n)) for s, n in starts if int(n) in wanted]


def _apart(ticks: list[Tick], pixels: int) -> Iterator[Tick]:
    reached = -math.inf
    for tick in ticks:
        if tick.label:
            half = _HALF_A_LETTER * len(tick.label) + _BETWEEN
            middle = tick.place * pixels
            if middle - half < reached:
                if tick.line:
                    yield replace(tick, label="")
                continue
            reached = middle + half
        yield tick
