"""Figure: how the gradients of each parameter are distributed, over time."""

from __future__ import annotations

from typing import TYPE_CHECKING

from autotrack.reports.histograms import draw_group

if TYPE_CHECKING:
    from matplotlib.figure import Figure

    from autotrack.history import History


def draw(history: History) -> Figure | None:
    """Draw the gradient histograms over time; None without any."""
    return draw_group(history, "Gradients")
