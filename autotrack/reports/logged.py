"""Figure: the person's own numbers from `autotrack.log`, and what else no other figure shows."""

from __future__ import annotations

from functools import partial
from typing import TYPE_CHECKING

from autotrack.reports import canvas
from autotrack.reports.curves import draw_steps, end_of_line
from autotrack.reports.depth import shortened
from autotrack.reports.highlights import mark_last
from autotrack.reports.palette import current
from autotrack.reports.scales import finite, set_value_axis, wants_log
from autotrack.reports.tags import Curve

if TYPE_CHECKING:
    from matplotlib.figure import Figure

    from autotrack.history import History
    from autotrack.reports.panel import Panel

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
_NAME_LETTERS = 32


def draw(history: History) -> Figure | None:
    """Draw each number that the program logged, a small panel each; None without any."""
    tags = own_tags(history)
    if not tags:
        return None
    shown = tags[:_MOST_PANELS]
    heading = canvas.Heading.of_some("Logged by the Program", len(shown), len(tags))
    return canvas.small_panels(history, shown, partial(_fill, history), heading)


def own_tags(history: History) -> list[str]:
    """The tags of numbers that no other figure draws, in the order of their first points."""
    return [tag for tag in history if not f"{tag}/".startswith(_KNOWN) and len(history[tag])]


def _fill(history: History, panel: Panel, tag: str) -> None:
    curve = Curve(history[tag], "", tag, current().series[0])
    panel.set_title(shortened(tag, _NAME_LETTERS))
    values = [curve.series.value]
    log = wants_log(values)
    set_value_axis(panel.ax, finite(values), log=log)
    panel.set_time()
    draw_steps(panel, curve, log=log)
    mark_last(panel, curve, *end_of_line(panel, curve, None, log=log))
