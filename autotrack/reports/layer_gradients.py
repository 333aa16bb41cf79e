"""Figure: the gradient norm of every parameter, from the first layer to the last."""

from __future__ import annotations

from typing import TYPE_CHECKING

from autotrack.reports import canvas
from autotrack.reports.depth import fill_layers, layers_of, never_positive, positive_values
from autotrack.reports.intervals import say_interval
from autotrack.reports.scales import set_value_axis

if TYPE_CHECKING:
    from matplotlib.figure import Figure

    from autotrack.history import History
    from autotrack.reports.panel import Panel


def draw(history: History) -> Figure | None:
    """Draw the gradient norm of every parameter; None without any."""
    return canvas.single(history, fill) if exists(history) else None


def exists(history: History) -> bool:
    """Whether the record holds gradient norms by parameter."""
    return bool(layers_of(history, "autotrack/gradient_norm"))


def fill(panel: Panel, history: History) -> None:
    """Draw the gradient norms by parameter into a panel."""
    layers = layers_of(history, "autotrack/gradient_norm")
    without = never_positive(layers)
    aside = f"{without} {'parameter' if without == 1 else 'parameters'} without gradient"
    panel.set_title("Gradient Norm by Layer", aside if without and not panel.small else "")
    panel.set_value_label("Gradient norm (L2)")
    set_value_axis(panel.ax, positive_values(layers), log=True)
    panel.set_time()
    fill_layers(panel, layers)
    say_interval(panel, history, "snapshots")
