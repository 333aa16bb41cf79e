"""A small picture of curves as SVG text, cheap enough to be drawn anew every few seconds."""

from __future__ import annotations

import html
import math
from dataclasses import dataclass
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Iterable, Sequence

    from autotrack.sinks._curve import Curve

_WIDTH, _HEIGHT = 380, 210
_LEFT, _RIGHT, _TOP, _BOTTOM = 52, 74, 26, 26
_TICKS = 4
_LEAST_BETWEEN_NAMES = 13


@dataclass(frozen=True)
class Line:
    """A curve with its name and colour; `points` marks each of its points."""

    name: str
    colour: str
    curve: Curve
    points: bool = False


def picture(head: str, panels: Sequence[tuple[str, Sequence[Line]]]) -> str:
    """Return HTML: a head line and the panels (title and lines each) side by side."""
    drawn = "".join(_panel(title, lines) for title, lines in panels)
    return (
        '<div style="font: 13px system-ui, sans-serif">'
        f'<div style="padding: 4px 0">{html.escape(head)}</div>'
        f'<div style="display: flex; flex-wrap: wrap; gap: 8px">{drawn}</div></div>'
    )


def _panel(title: str, lines: Sequence[Line]) -> str:
    xs = [x for line in lines for x, _ in line.curve.means()]
    ys = [y for line in lines for _, *pair in _shown(line) for y in pair]
    if not xs:
        return ""
    across = _Scale(min(xs), max(xs), _LEFT, _WIDTH - _RIGHT)
    up = _Scale(min(ys), max(ys), _HEIGHT - _BOTTOM, _TOP)
    parts = [_text(_LEFT, 14, title, weight="600")]
    parts += [_grid(value, up.at(value)) for value in up.ticks()]
    parts += [
        _text(across.at(x), _HEIGHT - 8, _number(x), anchor="middle", soft=True)
        for x in across.ticks()
    ]
    for line in lines:
        parts.append(_band(line, across, up))
        parts.append(_stroke(line, across, up))
    parts += _names(lines, up)
    return (
        f'<svg role="img" aria-label="{html.escape(title)}" width="{_WIDTH}" height="{_HEIGHT}" '
        f'viewBox="0 0 {_WIDTH} {_HEIGHT}" style="max-width: 100%" fill="currentColor">'
        f"{''.join(parts)}</svg>"
    )


def _shown(line: Line) -> Iterable[tuple[float, float, float]]:
    return line.curve.extremes()


@dataclass(frozen=True)
class _Scale:
    """Maps low..high to the pixels start..end."""

    low: float
    high: float
    start: float
    end: float

    def at(self, value: float) -> float:
        width = (self.high - self.low) or 1.0
        return self.start + (value - self.low) / width * (self.end - self.start)

    def ticks(self) -> list[float]:
        """A few round numbers within."""
        width = self.high - self.low
        if not width:
            return [self.low]
        rough = width / _TICKS
        power = 10.0 ** math.floor(math.log10(rough))
        step = next(m * power for m in (1, 2, 5, 10) if m * power >= rough)
        first = math.ceil(self.low / step)
        return [n * step for n in range(first, math.floor(self.high / step) + 1)]


def _grid(value: float, y: float) -> str:
    line = (
        f'<line x1="{_LEFT}" x2="{_WIDTH - _RIGHT}" y1="{y:.1f}" y2="{y:.1f}" '
        'stroke="currentColor" stroke-opacity="0.12"/>'
    )
    return line + _text(_LEFT - 6, y + 4, _number(value), anchor="end", soft=True)


def _band(line: Line, across: _Scale, up: _Scale) -> str:
    """The range of what was put together in each cell."""
    cells = [cell for cell in line.curve.extremes() if cell[1] < cell[2]]
    if not cells:
        return ""
    above = [f"{across.at(x):.1f},{up.at(most):.1f}" for x, _, most in cells]
    below = [f"{across.at(x):.1f},{up.at(least):.1f}" for x, least, _ in reversed(cells)]
    return f'<polygon points="{" ".join([*above, *below])}" fill="{line.colour}" opacity="0.2"/>'


def _stroke(line: Line, across: _Scale, up: _Scale) -> str:
    places = [(across.at(x), up.at(y)) for x, y in line.curve.means()]
    points = " ".join(f"{x:.1f},{y:.1f}" for x, y in places)
    drawn = f'<polyline points="{points}" fill="none" stroke="{line.colour}" stroke-width="1.6"/>'
    if line.points or len(places) == 1:
        drawn += "".join(
            f'<circle cx="{x:.1f}" cy="{y:.1f}" r="2.6" fill="{line.colour}"/>' for x, y in places
        )
    return drawn


def _names(lines: Sequence[Line], up: _Scale) -> list[str]:
    """The names beside the panel, each at the height at which its line ends, none on another."""
    ends = sorted(
        ((up.at(line.curve.means()[-1][1]), line) for line in lines if line.curve.cells),
        key=lambda end: end[0],
    )
    names, lowest = [], -math.inf
    for wanted, line in ends:
        y = max(wanted, lowest + _LEAST_BETWEEN_NAMES)
        lowest = y
        names.append(_text(_WIDTH - _RIGHT + 6, y + 4, line.name, colour=line.colour))
    return names


def _text(
    x: float,
    y: float,
    text: str,
    *,
    anchor: str = "start",
    weight: str = "400",
    colour: str = "currentColor",
    soft: bool = False,
) -> str:
    faint = ' opacity="0.65"' if soft else ""
    return (
        f'<text x="{x:.1f}" y="{y:.1f}" font-size="11" font-weight="{weight}" '
        f'text-anchor="{anchor}" fill="{colour}"{faint}>'
        f"{html.escape(text)}</text>"
    )


def _number(value: float) -> str:
    return f"{value:,.0f}" if abs(value) >= 1000 or value == int(value) else f"{value:.3g}"  # noqa: PLR2004
