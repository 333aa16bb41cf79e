"""Lines of a panel: raw curves, calmer ones on top, points of passes, marks of missing values."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import numpy as np
from numpy.typing import NDArray

from autotrack.reports.decimation import decimate
from autotrack.reports.palette import current
from autotrack.reports.panel import FOOT, EndLabel, Note, Panel
from autotrack.reports.scales import whole
from autotrack.reports.smoothing import Smoothed, is_noisy, needs_smoothing, smooth
from autotrack.reports.style import letters, stroke

if TYPE_CHECKING:
    from autotrack.reports.tags import Curve

Floats = NDArray[np.float64]

_MANY_POINTS = 40
_MANY_STEPS = 500
_MARKS = 60


def drawable(values: NDArray[np.floating], *, log: bool = False) -> Floats:
    """Values as a line can show them: NaN where infinite or, on a log axis, not positive."""
    values = values.astype(np.float64)
    shown = np.isfinite(values) & ((values > 0) if log else True)
    return np.where(shown, values, np.nan)


def draw_steps(
    panel: Panel, curve: Curve, *, log: bool = False, calm: bool = True, thin: bool = False
) -> Smoothed | None:
    """Draw a curve of one value a step; where it is long and noisy, thin and a smoothed one on top.

    Without `calm` only the raw curve is drawn; `thin` says that something else will lie on top.
    """
    x, y = panel.time.at(curve.series, curve.stream), drawable(curve.series.value, log=log)
    level = np.log10(y) if log else y
    noisy = calm and needs_smoothing(level)
    if thin or noisy:
        width, alpha = (0.8, 0.4) if len(y) > _MANY_STEPS else (1.0, 0.5)
    else:
        width, alpha = (1.0 if is_noisy(level) else 1.4), 1.0
    draw_line(panel, *panel.time.parted(x, y, done=False), curve.colour, width=width, alpha=alpha)
    mark_missing(panel, curve, x, log=log)
    if not noisy:
        return None
    smoothed = smooth(x, y, splits=panel.time.splits(x, done=False))
    panel.say_smoothed(smoothed.reach)
    line = panel.time.parted(smoothed.x, smoothed.y, done=False)
    panel.ax.plot(*line, zorder=3, **stroke(curve.colour, 1.8))
    return smoothed


def end_of_line(
    panel: Panel, curve: Curve, smoothed: Smoothed | None, *, log: bool = False
) -> tuple[Floats, Floats]:
    """Positions and values of the calmest line of a curve, at whose end its name stands."""
    if smoothed is not None:
        return smoothed.x, smoothed.y
    return panel.time.at(curve.series, curve.stream), drawable(curve.series.value, log=log)


def draw_line(
    panel: Panel,
    x: Floats,
    y: Floats,
    colour: str,
    *,
    width: float,
    alpha: float = 1.0,
    buckets: int = 1200,
) -> None:
    """Draw a line with gaps where `y` is NaN; a point between two gaps is drawn as a dot."""
    line = decimate(x, y, buckets)
    panel.ax.plot(*line, alpha=alpha, zorder=2, **_stroke(colour, width, alpha))
    gap = np.concatenate([[True], ~np.isfinite(y), [True]])
    lonely = gap[:-2] & gap[2:] & ~gap[1:-1]
    if lonely.any():
        dots = decimate(x[lonely], y[lonely], buckets)
        panel.ax.plot(*dots, ".", color=colour, markersize=4, alpha=alpha, zorder=2)


def _stroke(colour: str, width: float, alpha: float) -> dict[str, Any]:
    """A line that something lies on top of is unbroken: dashes of noise look like noise."""
    solid = {"linestyle": "-"} if alpha < 1 else {}
    return {**stroke(colour, width), **solid}


def draw_passes(
    panel: Panel, curve: Curve, *, log: bool = False, before: Curve | None = None
) -> tuple[Floats, Floats]:
    """Draw a curve of one value a pass, the pass `before` training as a hollow point.

    Returns positions and drawn values, without the pass before training.
    """
    x, y = panel.time.at(curve.series, curve.stream), drawable(curve.series.value, log=log)
    panel.ax.plot(
        *decimate(*panel.time.parted(x, y, done=True)),
        zorder=4,
        clip_on=False,
        **stroke(curve.colour, 1.5),
        **_points(panel, curve),
    )
    if before is not None:
        _draw_before(panel, before, (x[0], y[0]), log=log)
    mark_missing(panel, curve, x, log=log)
    return x, y


def draw_means(panel: Panel, curve: Curve, *, log: bool = False) -> tuple[Floats, Floats]:
    """Draw means over epochs: each a bar over its epoch with a point at its end, many a line."""
    x, y = panel.time.at(curve.series, curve.stream), drawable(curve.series.value, log=log)
    if len(y) > _MANY_POINTS // 2:
        return draw_passes(panel, curve, log=log)
    begins = np.concatenate([[panel.time.start_of(curve)], x[:-1]])
    panel.ax.hlines(y, begins, x, color=curve.colour, linewidth=2.0 * current().stroke, zorder=4)
    panel.ax.plot(
        x, y, color=curve.colour, linewidth=0, zorder=4, clip_on=False, **_points(panel, curve)
    )
    mark_missing(panel, curve, x, log=log)
    return x, y


def _points(panel: Panel, curve: Curve) -> dict[str, Any]:
    marker = "" if len(curve.series) > _MANY_POINTS else curve.marker
    size = 4.0 if panel.small else 4.8
    return {
        "marker": marker,
        "markersize": size,
        "markeredgecolor": current().paper,
        "markeredgewidth": 0.7,
    }


def _draw_before(panel: Panel, before: Curve, first: tuple[float, float], *, log: bool) -> None:
    start = panel.time.at(before.series)[-1]
    value = drawable(before.series.value, log=log)[-1]
    way = (start, first[0]), (value, first[1])
    panel.ax.plot(*way, ":", color=before.colour, linewidth=1.2 * current().stroke, zorder=3)
    hollow: dict[str, Any] = {
        "markersize": 4.8,
        "markerfacecolor": current().paper,
        "markeredgewidth": 1.2,
    }
    panel.ax.plot(
        start,
        value,
        before.marker,
        markeredgecolor=before.colour,
        zorder=4,
        clip_on=False,
        **hollow,
    )


def name_line(panel: Panel, text: str, x: Floats, y: Floats, colour: str) -> None:
    """Write the name of a line beside its last drawn point."""
    shown = np.flatnonzero(np.isfinite(y))
    if len(shown):
        panel.ends.append(EndLabel(text, float(x[shown[-1]]), float(y[shown[-1]]), letters(colour)))


def ring(panel: Panel, x: float, y: float, colour: str) -> None:
    """Mark a point of a line by a ring around it."""
    panel.ax.plot(
        [x],
        [y],
        "o",
        markersize=5.5 if panel.small else 6.5,
        markerfacecolor=current().paper,
        markeredgecolor=colour,
        markeredgewidth=1.5,
        zorder=6,
        clip_on=False,
    )


def mark_missing(panel: Panel, curve: Curve, x: Floats, *, log: bool = False) -> None:
    """Mark at the foot of the panel where values are NaN, infinite or, on a log axis, zero."""
    values = curve.series.value
    for found, sign in (
        (np.isnan(values), "NaN"),
        (np.isinf(values), "Inf"),
        (log & (values == 0), "0"),
    ):
        if found.any():
            _mark_at_foot(panel, curve, x, found, sign)


def _mark_at_foot(
    panel: Panel, curve: Curve, x: Floats, found: NDArray[np.bool_], sign: str
) -> None:
    colour = current().soft_ink if sign == "0" else current().alarm
    edges = np.diff(np.concatenate([[False], found, [False]]).astype(np.int8))
    starts, ends = np.flatnonzero(edges == 1), np.flatnonzero(edges == -1) - 1
    for start, end in zip(starts[:_MARKS], ends[:_MARKS], strict=True):
        if sign != "0" and end > start:
            panel.ax.axvspan(
                float(x[start]), float(x[end]), color=colour, alpha=0.1, linewidth=0, zorder=1
            )
    shown = starts[:: -(-len(starts) // _MARKS)]
    panel.ax.plot(
        x[shown],
        np.full(len(shown), FOOT),
        "x",
        color=colour,
        markersize=5,
        markeredgewidth=1.4,
        transform=panel.ax.get_xaxis_transform(),
        zorder=6,
        clip_on=False,
    )
    text = _missing_text(panel, curve, found, sign)
    if any(note.text == text for note in panel.notes):
        return
    panel.notes.append(
        Note(text, float(x[starts[0]]), None, colour, rank=8, needed=not panel.small)
    )


def _missing_text(panel: Panel, curve: Curve, found: NDArray[np.bool_], sign: str) -> str:
    first, count = int(np.argmax(found)), int(found.sum())
    moment = panel.time.moment(curve.series, first)
    if count == 1 or panel.small:
        return f"{sign} at {moment}"
    if found[first:].all():
        return f"{sign} from {moment} on"
    return f"{sign} at {whole(count)} of {whole(len(found))} points, first at {moment}"
