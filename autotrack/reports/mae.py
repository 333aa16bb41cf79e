"""Figure: the mean absolute error of a regression, in training and evaluation."""

from __future__ import annotations

from typing import TYPE_CHECKING

from autotrack.reports import canvas
from autotrack.reports.passes import curves_of, fill_passes

if TYPE_CHECKING:
    from matplotlib.figure import Figure

    from autotrack.history import History
    from autotrack.reports.panel import Panel


def draw(history: History) -> Figure | None:
    """Draw the mean absolute error, one point a pass; None without any."""
    return canvas.single(history, fill) if exists(history) else None


def exists(history: History) -> bool:
    """Whether the record holds mean absolute errors."""
    return bool(curves_of(history, "MAE"))


def fill(panel: Panel, history: History) -> None:
    """Draw the mean absolute error into a panel."""
    panel.set_value_label("Mean absolute error")
    fill_passes(panel, history, "MAE", "Mean Absolute Error", higher_is_better=False)
