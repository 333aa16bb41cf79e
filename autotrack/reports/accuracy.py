"""Figure: which part of the samples was classified correctly, in training and evaluation."""

from __future__ import annotations

from typing import TYPE_CHECKING

from autotrack.reports import canvas
from autotrack.reports.passes import curves_of, fill_passes

if TYPE_CHECKING:
    from matplotlib.figure import Figure

    from autotrack.history import History
    from autotrack.reports.panel import Panel


def draw(history: History) -> Figure | None:
    """Draw accuracy in percent, one point a pass; None without any."""
    return canvas.single(history, fill) if exists(history) else None


def exists(history: History) -> bool:
    """Whether the record holds accuracies."""
    return bool(curves_of(history, "Accuracy"))


def fill(panel: Panel, history: History) -> None:
    """Draw accuracy into a panel."""
    panel.set_value_label("Accuracy (%)")
    fill_passes(panel, history, "Accuracy", "Accuracy", higher_is_better=True, unit=" %")
    low, high = panel.ax.get_ylim()
    # Nothing is above 100 % or below 0 %, so the axis only goes there by the width of a marker.
    panel.ax.set_ylim(max(low, -2.0), min(high, 100.0 + 0.03 * (100.0 - low)))
