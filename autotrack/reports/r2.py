"""Figure: which part of the targets' variance a regression explains, in training and evaluation."""

from __future__ import annotations

from typing import TYPE_CHECKING

from autotrack.reports import canvas
from autotrack.reports.passes import curves_of, fill_passes, values_of

if TYPE_CHECKING:
    from matplotlib.figure import Figure

    from autotrack.history import History
    from autotrack.reports.panel import Panel

_FLOOR = -1.0


def draw(history: History) -> Figure | None:
    """Draw the coefficient of determination, one point a pass; None without any."""
    return canvas.single(history, fill) if exists(history) else None


def exists(history: History) -> bool:
    """Whether the record holds coefficients of determination."""
    return bool(curves_of(history, "R2"))


def fill(panel: Panel, history: History) -> None:
    """Draw the coefficient of determination into a panel."""
    panel.set_value_label("R²")
    fill_passes(panel, history, "R2", "R²", higher_is_better=True)
    values = values_of(history, "R2")
    # An untrained model may be worse than the mean by any factor: that end is cut off, so that
    # what happens between 0 and 1 can be read.
    if len(values) and values.min() < _FLOOR and values.max() > 0:
        panel.ax.set_ylim(_FLOOR, 1.07)
        for line in panel.ax.lines:
            line.set_clip_on(True)
