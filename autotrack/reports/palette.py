"""Colours by what they mean, in three styles; the one place for figures and the report page.

`current()` is the palette that is drawn with; `chosen(name)` changes it for a while.
"""

from __future__ import annotations

from contextlib import contextmanager
from contextvars import ContextVar
from dataclasses import dataclass
from typing import TYPE_CHECKING

from autotrack.colours import ON_WHITE
from autotrack.errors import UsageError

if TYPE_CHECKING:
    from collections.abc import Iterator

Dash = tuple[float, ...]
"""Lengths of strokes and gaps in widths of the line; empty for an unbroken line."""

_ROLES = ("train", "val", "test", "train_eval")


@dataclass(frozen=True)
class Palette:
    """Colours of one style, each as `#rrggbb`.

    `series` are the colours of lines: training, validation, test, the training data evaluated, and
    others; `dashes` their strokes. `depth` are layers, first to last, `time` moments, early to
    late, `heat` amounts, small to large. `paper` lies under everything, unless `clear` says that
    the figure has no background. Lines are `stroke` times as wide as usual.
    """

    name: str
    ink: str
    soft_ink: str
    rule: str
    grid: str
    paper: str
    alarm: str
    series: tuple[str, ...]
    depth: tuple[str, ...]
    time: tuple[str, ...]
    heat: tuple[str, ...]
    dashes: tuple[Dash, ...] = ()
    stroke: float = 1.0
    clear: bool = False

    def of_phase(self, phase: str) -> str | None:
        """The colour that belongs to `train`, `val`, `test` or `train_eval`; None for others."""
        role = phase if phase == "train_eval" else phase.partition("_")[0]
        return self.series[_ROLES.index(role)] if role in _ROLES else None

    def dash(self, colour: str) -> Dash:
        """The strokes of lines of a colour."""
        known = dict(zip(self.series, self.dashes, strict=False))
        return known.get(colour, ())


# Layers are Matplotlib's plasma without its bright end, even in lightness, so also an order without
# colours.
LIGHT = Palette(
    name="light",
    ink="#222222",
    soft_ink="#5f6368",
    rule="#b8bcc2",
    grid="#e9ebee",
    paper="#ffffff",
    alarm="#a50026",
    series=ON_WHITE,
    depth=("#0d0887", "#5402a3", "#8b0aa5", "#b93289", "#db5c68", "#f48849", "#febd2a"),
    time=("#c9dcec", "#7fb2d8", "#2f7fb8", "#0b4a80", "#06264a"),
    heat=("#f4f7fa", "#cfe0ee", "#9cc3e0", "#5a9bc8", "#2070a8", "#0b4a80", "#06264a"),
)

DARK = Palette(
    name="dark",
    ink="#e8eaed",
    soft_ink="#9aa0a8",
    rule="#50565f",
    grid="#272c33",
    paper="#14171c",
    alarm="#ff6b7a",
    series=("#57b0ee", "#ff8f5a", "#35c99b", "#e19bca", "#f0b43c", "#f0e66a", "#e8eaed"),
    depth=("#6a5cf0", "#9a58e8", "#c659d0", "#e563a8", "#f57c7c", "#faa255", "#fbd24a"),
    time=("#24435e", "#2f6794", "#4593cc", "#83c0ea", "#d3eafa"),
    heat=("#1b2027", "#1f3850", "#25557d", "#2f7ab4", "#55a2dc", "#96c8ee", "#dcedfa"),
)

PRINT = Palette(
    name="print",
    ink="#000000",
    soft_ink="#4d4d4d",
    rule="#8c8c8c",
    grid="#e4e4e4",
    paper="#ffffff",
    alarm="#000000",
    series=("#000001", "#777777", "#2b2b2b", "#8a8a8a", "#404040", "#6a6a6a", "#555555"),
    dashes=((), (), (4.0, 1.6), (4.0, 1.6), (1.0, 1.4), (1.0, 1.4), (5.0, 1.5, 1.0, 1.5)),
    depth=("#b5b5b5", "#9a9a9a", "#7f7f7f", "#646464", "#484848", "#2c2c2c", "#000000"),
    time=("#dcdcdc", "#b4b4b4", "#868686", "#525252", "#1a1a1a"),
    heat=("#f7f7f7", "#dddddd", "#bcbcbc", "#949494", "#686868", "#3a3a3a", "#101010"),
    stroke=0.7,
    clear=True,
)

STYLES = {palette.name: palette for palette in (LIGHT, DARK, PRINT)}

_current: ContextVar[Palette] = ContextVar("autotrack_palette", default=LIGHT)


def current() -> Palette:
    """The palette that figures are drawn with now."""
    return _current.get()


@contextmanager
def chosen(name: str) -> Iterator[Palette]:
    """While this lasts, figures are drawn in the style `light`, `dark` or `print`.

    Raises UsageError (a ValueError) for any other.
    """
    if name not in STYLES:
        raise UsageError(f"there is no style {name!r}; possible styles: {', '.join(STYLES)}")
    token = _current.set(STYLES[name])
    try:
        yield STYLES[name]
    finally:
        _current.reset(token)
