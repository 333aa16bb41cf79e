"""Figure: how much of itself every parameter changed at every step."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np

from autotrack.reports import canvas
from autotrack.reports.depth import fill_layers, layers_of, never_positive, positive_values
from autotrack.reports.intervals import say_interval
from autotrack.reports.palette import current
from autotrack.reports.scales import power_of_ten, set_value_axis

if TYPE_CHECKING:
    from matplotlib.figure import Figure

    from autotrack.history import History
    from autotrack.reports.panel import Panel

# Rule of thumb from Karpathy's notes for Stanford's CS231n: the ratio should be about 1e-3.
_USUAL = (3e-4, 3e-3)


def draw(history: History) -> Figure | None:
    """Draw the ratio of update to weight of every parameter; None without any."""
    return canvas.single(history, fill) if exists(history) else None


def exists(history: History) -> bool:
    """Whether the record holds update ratios above zero."""
    return bool(layers_of(history, "autotrack/update_ratio"))


def fill(panel: Panel, history: History) -> None:
    """Draw the update ratios into a panel, with a band where they usually lie."""
    layers = layers_of(history, "autotrack/update_ratio")
    frozen = never_positive(layers)
    asides = [f"{frozen} never updated"] if frozen else []
    panel.set_title(
        "Update Ratio", " · ".join([*asides, f"shaded: usual, around {power_of_ten(-3)}"])
    )
    panel.set_value_label("Update norm / weight norm")
    values = np.append(positive_values(layers), _USUAL)
    set_value_axis(panel.ax, values, log=True)
    panel.set_time()
    panel.ax.axhspan(*_USUAL, color=current().soft_ink, alpha=0.09, linewidth=0, zorder=0)
    panel.ax.axhline(1e-3, color=current().soft_ink, linewidth=0.8, linestyle=(0, (4, 3)), zorder=1)
    fill_layers(panel, layers)
    say_interval(panel, history, "snapshots")
