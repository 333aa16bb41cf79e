"""Value axes: linear or logarithmic, and numbers written as a person would write them."""

from __future__ import annotations

import itertools
import math
from typing import TYPE_CHECKING

import numpy as np
from matplotlib.ticker import FixedLocator, Formatter, LogLocator, MaxNLocator, NullFormatter
from numpy.typing import NDArray

if TYPE_CHECKING:
    from collections.abc import Iterable, Sequence

    from matplotlib.axes import Axes

Floats = NDArray[np.float64]
Room = tuple[float, float]

MINUS = "\N{MINUS SIGN}"
TIMES = "\N{MULTIPLICATION SIGN}"

_SUPERSCRIPTS = str.maketrans("-0123456789", "⁻⁰¹²³⁴⁵⁶⁷⁸⁹")
_ZEROS_TOLERATED = 0.1
# Powers of ten within which numbers are written without one.
_PLAIN = (-4, 7)
_SHORT = (-3, 3)
_FROM_THOUSANDS, _FROM_MILLIONS = 1e4, 2e6


def wants_log(curves: Iterable[NDArray[np.floating]], decades: float = 2.0) -> bool:
    """Whether values belong on a logarithmic axis: none is negative and they span `decades`.

    A few exact zeros are tolerated (they cannot be drawn there and must be marked); many are not.
    """
    values = finite(curves)
    positive = values[values > 0]
    enough = len(positive) and len(positive) >= (1 - _ZEROS_TOLERATED) * len(values)
    if not enough or values.min() < 0:
        return False
    return bool(math.log10(positive.max()) - math.log10(positive.min()) > decades)


def finite(curves: Iterable[NDArray[np.floating]]) -> Floats:
    """All finite values of the curves in one array."""
    arrays = [curve[np.isfinite(curve)].astype(np.float64) for curve in curves]
    return np.concatenate(arrays) if arrays else np.empty(0)


def set_value_axis(
    ax: Axes, values: Floats, *, log: bool = False, room: Room = (0.07, 0.07)
) -> None:
    """Set limits, ticks and number format of the y axis for finite `values`.

    `room` is left below and above, as parts of the values' spread.
    """
    if log:
        _set_log_axis(ax, values[values > 0], room)
        return
    if not len(values):
        ax.yaxis.set_major_locator(FixedLocator([]))
        return
    low, high = _linear_limits(values, room)
    ax.set_ylim(low, high)
    ax.yaxis.set_major_locator(MaxNLocator(nbins=6, steps=[1, 2, 2.5, 5, 10], min_n_ticks=3))
    ax.yaxis.set_major_formatter(PlainNumbers())


def _linear_limits(values: Floats, room: Room) -> tuple[float, float]:
    low, high = float(values.min()), float(values.max())
    spread = high - low
    # What is constant up to rounding is a flat line in the middle, not magnified rounding errors.
    if spread <= 1e-6 * max(abs(low), abs(high)):
        around = 0.1 * max(abs(low), abs(high))
        return (low - around, high + around) if around else (-room[0], 1.0)
    return low - room[0] * spread, high + room[1] * spread


def _set_log_axis(ax: Axes, values: Floats, room: Room) -> None:
    low, high = math.log10(values.min()), math.log10(values.max())
    spread = max(high - low, 0.5)
    low, high = low - room[0] * spread, high + room[1] * spread
    ax.set_yscale("log")
    ax.set_ylim(10**low, 10**high)
    exponents = np.arange(math.ceil(low), math.floor(high) + 1)
    stride = _stride(exponents)
    ax.yaxis.set_major_locator(FixedLocator(log_ticks(low, high)))
    ax.yaxis.set_major_formatter(PowersOfTen())
    between = LogLocator(subs=range(2, 10), numticks=100)
    ax.yaxis.set_minor_locator(
        between if stride == 1 else FixedLocator([10.0 ** int(e) for e in exponents])
    )
    ax.yaxis.set_minor_formatter(NullFormatter())
    ax.tick_params(axis="y", which="minor", length=1.5, width=0.5)


def log_ticks(low: float, high: float) -> list[float]:
    """Ticks of a logarithmic axis between two powers of ten, at most six or so."""
    exponents = np.arange(math.ceil(low), math.floor(high) + 1)
    chosen = exponents[exponents % _stride(exponents) == 0]
    powers = [10.0 ** int(exponent) for exponent in chosen]
    return powers if len(powers) > 1 else _between(low, high)


def _stride(exponents: NDArray[np.int64]) -> int:
    return max(1, -(-len(exponents) // 6))


def _between(low: float, high: float) -> list[float]:
    """Ticks at 1, 2 and 5 times powers of ten, for an axis of hardly more than a decade."""
    exponents = range(math.floor(low), math.ceil(high) + 1)
    ticks = [factor * 10.0**exponent for exponent in exponents for factor in (1, 2, 5)]
    return [tick for tick in ticks if low <= math.log10(tick) <= high]


def number(value: float, digits: int = 3) -> str:
    """A number in at most `digits` significant digits: `0.0213`, `12,340`, `10⁻⁵`."""
    if value == 0 or not math.isfinite(value):
        return {math.inf: "∞", -math.inf: f"{MINUS}∞"}.get(value, "0" if value == 0 else "NaN")
    mantissa, _, power = f"{value:.{digits - 1}e}".partition("e")
    exponent = int(power)
    if _PLAIN[0] <= exponent < _PLAIN[1]:
        text = f"{value:,.{max(0, digits - 1 - exponent)}f}"
        text = text.rstrip("0").rstrip(".") if "." in text else text
    else:
        text = f"{mantissa.rstrip('0').rstrip('.')}{TIMES}{power_of_ten(exponent)}"
        text = text.replace(f"1{TIMES}", "") if abs(float(mantissa)) == 1 else text
    return text.replace("-", MINUS)


def power_of_ten(exponent: int) -> str:
    """Ten to the power of `exponent` in plain letters, `10⁻³`, so that it stays text in an SVG."""
    return "10" + str(exponent).translate(_SUPERSCRIPTS)


def whole(value: int) -> str:
    """A whole number with its thousands set apart: `1,234`."""
    return f"{value:,}".replace("-", MINUS)


class PlainNumbers(Formatter):
    """Tick labels of a linear axis, with as many digits as neighbouring ticks need."""

    def format_ticks(self, values: Sequence[float]) -> list[str]:
        """All labels of an axis."""
        largest = max((abs(value) for value in values), default=0.0)
        gap = min((abs(b - a) for a, b in itertools.pairwise(values)), default=largest)
        if not 10.0 ** _SHORT[0] <= largest < 10.0 ** _PLAIN[1]:
            digits = 3 + (math.floor(math.log10(largest / gap)) if gap else 0)
            return [number(float(value), digits) for value in values]
        decimals = _decimals(values, gap)
        return [
            f"{0.0 if value == 0 else value:,.{decimals}f}".replace("-", MINUS) for value in values
        ]

    def __call__(self, x: float, _pos: int | None = None) -> str:
        """One label alone."""
        return number(float(x))


def _decimals(values: Sequence[float], gap: float) -> int:
    for decimals in range(12):
        if all(abs(round(value, decimals) - value) < 0.01 * gap for value in values):
            return decimals
    return 12


class PowersOfTen(Formatter):
    """Tick labels of a logarithmic axis: plain numbers where all are short, else powers of ten."""

    def format_ticks(self, values: Sequence[float]) -> list[str]:
        """All labels of an axis."""
        exponents = [round(math.log10(value)) for value in values]
        if any(value != 10.0**power for value, power in zip(values, exponents, strict=True)):
            return [number(value) for value in values]
        if all(_SHORT[0] <= exponent <= _SHORT[1] for exponent in exponents):
            return [number(10.0**exponent) for exponent in exponents]
        return [power_of_ten(exponent) for exponent in exponents]

    def __call__(self, x: float, _pos: int | None = None) -> str:
        """One label alone."""
        return power_of_ten(round(math.log10(x)))


class Steps(Formatter):
    """Tick labels of an axis of steps: `500`, `20k`, `1.5M`."""

    def format_ticks(self, values: Sequence[float]) -> list[str]:
        """All labels of an axis."""
        largest = max((abs(value) for value in values), default=0.0)
        if largest >= _FROM_MILLIONS:
            return [self._in_units(value, 1e6, "M") for value in values]
        if largest >= _FROM_THOUSANDS:
            return [self._in_units(value, 1e3, "k") for value in values]
        return [self(value) for value in values]

    def __call__(self, x: float, _pos: int | None = None) -> str:
        """One label alone."""
        return self._in_units(x, 1.0, "")

    @staticmethod
    def _in_units(value: float, unit: float, letter: str) -> str:
        text = f"{value / unit:,.10g}{letter}" if value else "0"
        return text.replace("-", MINUS)
