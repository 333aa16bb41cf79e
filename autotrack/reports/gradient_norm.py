"""Figure: how long the gradient was at every step, before and after clipping."""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING

from autotrack.reports import canvas
from autotrack.reports.curves import draw_steps, end_of_line, name_line
from autotrack.reports.events import mark_skipped
from autotrack.reports.intervals import say_interval
from autotrack.reports.palette import current
from autotrack.reports.scales import finite, set_value_axis, wants_log
from autotrack.reports.tags import training

if TYPE_CHECKING:
    from matplotlib.figure import Figure

    from autotrack.history import History
    from autotrack.reports.panel import Panel
    from autotrack.reports.tags import Curve

_DECADES = 1.5


def draw(history: History) -> Figure | None:
    """Draw the total gradient norm of every step, and the clipped one; None without any."""
    return canvas.single(history, fill) if exists(history) else None


def exists(history: History) -> bool:
    """Whether the record holds total gradient norms."""
    return bool(_curves(history))


def fill(panel: Panel, history: History) -> None:
    """Draw the gradient norm into a panel."""
    panel.set_title("Gradient Norm")
    panel.set_value_label("Gradient norm (L2)")
    curves = _curves(history)
    values = [curve.series.value for curve in curves]
    log = wants_log(values, _DECADES)
    set_value_axis(panel.ax, finite(values), log=log)
    panel.set_time()
    for curve in curves:
        # Clipping only cuts peaks off: a line of its own on top shows which.
        clipped = curve.series.tag.startswith("GradNorm/clipped")
        calm = draw_steps(panel, curve, log=log, calm=not clipped)
        if len(curves) > 1:
            line = end_of_line(panel, curve, calm, log=log)
            name_line(panel, curve.name, *line, curve.colour)
    mark_skipped(panel, history)
    say_interval(panel, history, "gradient_norm")


def _curves(history: History) -> list[Curve]:
    total = training(history, "GradNorm/total")
    clipped = training(history, "GradNorm/clipped")
    if len(history.streams) > 1:
        return total + [replace(curve, name=f"{curve.name}, clipped") for curve in clipped]
    names = [replace(curve, name="before\nclipping" if clipped else "total") for curve in total]
    after = current().series[4]
    return names + [replace(curve, name="after\nclipping", colour=after) for curve in clipped]
