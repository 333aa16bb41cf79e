"""Figure: the person's own numbers from `autotrack.log`, and what else no other figure shows."""

from __future__ import annotations

from typing import TYPE_CHECKING

from autotrack.reports import canvas, style
from autotrack.reports.curves import draw_steps, end_of_line
from autotrack.reports.depth import shortened
from autotrack.reports.highlights import mark_last
from autotrack.reports.palette import current
from autotrack.reports.panel import Panel
from autotrack.reports.positions import TimeAxis
from autotrack.reports.scales import finite, set_value_axis, wants_log
from autotrack.reports.tags import Curve

if TYPE_CHECKING:
    from matplotlib.figure import Figure

    from autotrack.history import History

# Groups of tags that have figures of their own.
_KNOWN = (
    "Loss/",
    "Accuracy/",
    "R2/",
    "MAE/",
    "GradNorm/",
    "LearningRate/",
    "UpdateRatio/",
    "Throughput/",
    "autotrack/",
)
_MOST_PANELS = 12
_COLUMNS = 3
_NAME_LETTERS = 32


def draw(history: History) -> Figure | None:
    """Draw each number that the program logged, a small panel each; None without any."""
    tags = own_tags(history)
    if not tags:
        return None
    shown = tags[:_MOST_PANELS]
    with style.applied():
        columns = min(_COLUMNS, len(shown))
        rows = -(-len(shown) // columns)
        width = {1: 6.4, 2: 8.0}.get(columns, 10.0)
        figure = canvas.new_figure((width, 0.5 + (2.1 if rows > 1 else 2.6) * rows), head=0.42)
        axes = figure.subplots(rows, columns, squeeze=False).ravel()
        time = TimeAxis.of(history)
        panels = []
        for ax, tag in zip(axes, shown, strict=False):
            panels.append(Panel(ax, time, small=True))
            _fill(panels[-1], history, tag)
        for unused in axes[len(shown) :]:
            unused.set_visible(False)
        some = f", {len(shown)} of {len(tags)}" if len(shown) < len(tags) else ""
        canvas.write_heading(figure, f"Logged by the Program{some}")
        canvas.finish(figure, panels)
    return figure


def own_tags(history: History) -> list[str]:
    """The tags of numbers that no other figure draws, in the order of their first points."""
    return [tag for tag in history if not f"{tag}/".startswith(_KNOWN) and len(history[tag])]


def _fill(panel: Panel, history: History, tag: str) -> None:
    curve = Curve(history[tag], "", tag, current().series[0])
    panel.set_title(shortened(tag, _NAME_LETTERS))
    panel.ax.title.set_fontsize(style.TEXT_POINTS + 0.5)
    values = [curve.series.value]
    log = wants_log(values)
    set_value_axis(panel.ax, finite(values), log=log)
    panel.set_time()
    draw_steps(panel, curve, log=log)
    mark_last(panel, curve, *end_of_line(panel, curve, None, log=log))
