"""Figure: the parts of the loss, where several criteria fed it."""

from __future__ import annotations

from functools import partial
from typing import TYPE_CHECKING

from autotrack.reports import canvas
from autotrack.reports.curves import draw_passes, draw_steps, end_of_line, name_line
from autotrack.reports.depth import shortened
from autotrack.reports.highlights import mark_extreme
from autotrack.reports.palette import current
from autotrack.reports.scales import finite, set_value_axis, wants_log
from autotrack.reports.tags import Curve, evaluated_parts, training

if TYPE_CHECKING:
    from matplotlib.figure import Figure

    from autotrack.history import History
    from autotrack.reports.panel import Panel

_TAG = "Loss/train/"
_TITLE = "Loss Components"
_AS_RETURNED = "before the program's own weights"
_NAME_LETTERS = 26
_MOST_MINIMA = 3
# More lines than these, each with its evaluations, are a panel each.
_MOST_LINES = 4
_MOST_PANELS = 12


def draw(history: History) -> Figure | None:
    """Draw the parts of the loss, each as its criterion returned it; None without any."""
    if not exists(history):
        return None
    together = len(parts_of(history)) <= _MOST_LINES and not evaluated_parts(history)
    return canvas.single(history, fill) if together else _each(history)


def exists(history: History) -> bool:
    """Whether the record holds parts of a loss."""
    return bool(parts_of(history))


def parts_of(history: History) -> list[Curve]:
    """The curves of all parts, named after their criteria, after the whole loss's colours."""
    colours, found = current().series, []
    for tag in history:
        if tag.startswith(_TAG) and len(history[tag]):
            name, _, stream = tag.removeprefix(_TAG).rpartition("/")
            # The loss of a stream itself stands under the stream's name alone.
            if not name and stream not in history.streams:
                found.append((tag, "", stream))
            elif name:
                found.append((tag, stream if stream in history.streams else "", name))
    several = len({stream for _, stream, _ in found}) > 1
    return [
        Curve(
            history[tag],
            stream,
            shortened(f"{name}\n{stream}" if several else name, _NAME_LETTERS),
            colours[(index + 2) % len(colours)],
        )
        for index, (tag, stream, name) in enumerate(found)
    ]


def fill(panel: Panel, history: History) -> None:
    """Draw the parts of the loss, and the whole as a thin line, into a panel."""
    parts = parts_of(history)
    whole = training(history, "Loss/train", "whole loss")
    panel.set_title(_TITLE, _AS_RETURNED)
    panel.set_value_label("Loss")
    values = [curve.series.value for curve in [*parts, *whole]]
    log = wants_log(values, 1.5)
    set_value_axis(panel.ax, finite(values), log=log, room=(0.13, 0.07))
    panel.set_time()
    for curve in [*whole, *parts]:
        smoothed = draw_steps(panel, curve, log=log)
        x, y = end_of_line(panel, curve, smoothed, log=log)
        name_line(panel, curve.name, x, y, curve.colour)
        if curve in parts[:_MOST_MINIMA]:
            x, y = end_of_line(panel, curve, None, log=log)
            mark_extreme(panel, curve, x, y, "min")


def _each(history: History) -> Figure:
    """Draw each part in a small panel of its own, in training and in evaluation."""
    parts = parts_of(history)
    shown = parts[:_MOST_PANELS]
    heading = canvas.Heading.of_some(_TITLE, len(shown), len(parts), _AS_RETURNED)
    return canvas.small_panels(history, shown, partial(_fill_one, history), heading)


def _fill_one(history: History, panel: Panel, part: Curve) -> None:
    palette = current()
    name = part.series.tag.removeprefix(_TAG)
    passes = evaluated_parts(history).get(name, {})
    evaluated = [
        Curve(history[tag], "", phase, palette.of_phase(phase) or palette.series[index])
        for index, (phase, tag) in enumerate(passes.items(), start=1)
    ]
    curve = Curve(part.series, part.stream, "train", palette.series[0])
    panel.set_title(part.name)
    values = [one.series.value for one in [curve, *evaluated]]
    log = wants_log(values)
    set_value_axis(panel.ax, finite(values), log=log)
    panel.set_time()
    smoothed = draw_steps(panel, curve, log=log)
    if evaluated:
        line = end_of_line(panel, curve, smoothed, log=log)
        name_line(panel, curve.name, *line, curve.colour)
    for one in evaluated:
        name_line(panel, one.name, *draw_passes(panel, one, log=log), one.colour)
