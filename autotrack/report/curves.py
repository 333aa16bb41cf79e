"""Lines of a panel: thin raw curves, calmer ones on top, points of passes, and marks where a value is not a number."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from autotrack.report.decimation import decimate
from autotrack.report.panel import FOOT, EndLabel, Note, Panel
from autotrack.report.scales import whole
from autotrack.report.smoothing import Smoothed, needs_smoothing, smooth
from autotrack.report.style import ALARM, PAPER, SOFT_INK, letters
from autotrack.report.tags import Curve

Floats = NDArray[np.float64]

_MANY_POINTS = 40
_MARKS = 60


def drawable(values: NDArray[np.floating], log: bool) -> Floats:
    """Values as a line can show them: NaN where they are infinite or, on a logarithmic axis, not positive."""
    values = values.astype(np.float64)
    shown = np.isfinite(values) & ((values > 0) if log else True)
    return np.where(shown, values, np.nan)


def draw_steps(panel: Panel, curve: Curve, log: bool, quiet: bool = False) -> Smoothed | None:
    """Draw a curve of one value a step: thin where it is noisy or to be `quiet`, then with a smoothed line on top."""
    x, y = panel.time.at(curve.series, curve.stream), drawable(curve.series.value, log)
    calm = smooth(x, y) if not quiet and needs_smoothing(np.log10(y) if log else y) else None
    thin = quiet or calm is not None
    draw_line(panel, x, y, curve.colour, width=0.7 if thin else 1.4, alpha=0.4 if thin else 1.0)
    if calm is not None:
        panel.ax.plot(*decimate(calm.x, calm.y), color=curve.colour, linewidth=1.8, zorder=3)
    mark_missing(panel, curve, x, log)
    return calm


def draw_line(panel: Panel, x: Floats, y: Floats, colour: str, width: float, alpha: float = 1.0) -> None:
    """Draw a line with gaps where `y` is NaN; a point between two gaps is drawn as a dot."""
    panel.ax.plot(*decimate(x, y), color=colour, linewidth=width, alpha=alpha, zorder=2)
    gap = np.concatenate([[True], ~np.isfinite(y), [True]])
    lonely = gap[:-2] & gap[2:] & ~gap[1:-1]
    if lonely.any():
        x, y = decimate(x[lonely], y[lonely])
        panel.ax.plot(x, y, ".", color=colour, markersize=4, alpha=alpha, zorder=2)


def draw_passes(panel: Panel, curve: Curve, log: bool, before: Curve | None = None) -> tuple[Floats, Floats]:
    """Draw a curve of one value a pass as points and a line, with the pass `before` training as a hollow point.

    Returns positions and drawn values, without the pass before training.
    """
    x, y = panel.time.at(curve.series, curve.stream), drawable(curve.series.value, log)
    crowded = len(y) > _MANY_POINTS
    panel.ax.plot(
        *decimate(x, y), color=curve.colour, linewidth=1.5, zorder=4, marker="" if crowded else curve.marker,
        markersize=4 if panel.small else 4.8, markeredgecolor=PAPER, markeredgewidth=0.7, clip_on=False,
    )  # fmt: skip
    if before is not None:
        _draw_before(panel, before, x, y, log)
    mark_missing(panel, curve, x, log)
    return x, y


def _draw_before(panel: Panel, before: Curve, x: Floats, y: Floats, log: bool) -> None:
    start, value = panel.time.at(before.series)[-1:], drawable(before.series.value, log)[-1:]
    joined = np.append(start, x[:1]), np.append(value, y[:1])
    panel.ax.plot(*joined, ":", color=before.colour, linewidth=1.2, zorder=3)
    panel.ax.plot(
        start, value, before.marker, markersize=4.8, markerfacecolor=PAPER,
        markeredgecolor=before.colour, markeredgewidth=1.2, zorder=4, clip_on=False,
    )  # fmt: skip


def name_line(panel: Panel, text: str, x: Floats, y: Floats, colour: str) -> None:
    """Write the name of a line beside its last drawn point."""
    shown = np.flatnonzero(np.isfinite(y))
    if len(shown):
        panel.ends.append(EndLabel(text, float(x[shown[-1]]), float(y[shown[-1]]), letters(colour)))


def ring(panel: Panel, x: float, y: float, colour: str) -> None:
    """Mark a point of a line by a ring around it."""
    panel.ax.plot(
        [x], [y], "o", markersize=6.5, markerfacecolor=PAPER, markeredgecolor=colour,
        markeredgewidth=1.5, zorder=6, clip_on=False,
    )  # fmt: skip


def mark_missing(panel: Panel, curve: Curve, x: Floats, log: bool) -> None:
    """Mark at the foot of the panel where values are NaN, infinite or, on a logarithmic axis, zero."""
    values = curve.series.value
    for found, sign in ((np.isnan(values), "NaN"), (np.isinf(values), "Inf"), (log & (values == 0), "0")):
        if found.any():
            _mark_at_foot(panel, curve, x, found, sign)


def _mark_at_foot(panel: Panel, curve: Curve, x: Floats, found: NDArray[np.bool_], sign: str) -> None:
    colour = SOFT_INK if sign == "0" else ALARM
    foot = panel.ax.get_xaxis_transform()
    edges = np.diff(np.concatenate([[False], found, [False]]).astype(np.int8))
    starts, ends = np.flatnonzero(edges == 1), np.flatnonzero(edges == -1) - 1
    if sign != "0":
        for start, end in zip(starts[:_MARKS], ends[:_MARKS], strict=True):
            panel.ax.axvspan(float(x[start]), float(x[end]), color=colour, alpha=0.1, linewidth=0, zorder=1)
    shown = starts[:: -(-len(starts) // _MARKS)]
    panel.ax.plot(x[shown], np.full(len(shown), FOOT), "x", color=colour, markersize=5, markeredgewidth=1.4,
                  transform=foot, zorder=6)  # fmt: skip
    text = _missing_text(panel, curve, found, sign)
    panel.notes.append(Note(text, float(x[starts[0]]), None, colour, rank=8, needed=not panel.small))


def _missing_text(panel: Panel, curve: Curve, found: NDArray[np.bool_], sign: str) -> str:
    first, count = int(np.argmax(found)), int(found.sum())
    moment = panel.time.moment(curve.series, first)
    if count == 1:
        return f"{sign} at {moment}"
    if found[first:].all():
        return f"{sign} from {moment} on"
    return f"{sign} at {whole(count)} of {whole(len(found))} points, first at {moment}"
