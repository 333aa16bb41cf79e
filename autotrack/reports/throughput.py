"""Panel of the overview: how many samples, or else steps, a second were trained."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np

from autotrack.reports.curves import draw_steps
from autotrack.reports.scales import finite, set_value_axis
from autotrack.reports.tags import training

if TYPE_CHECKING:
    from autotrack.history import History
    from autotrack.reports.panel import Panel
    from autotrack.reports.tags import Curve


def exists(history: History) -> bool:
    """Whether the record holds a throughput."""
    return bool(_curves(history)[1])


def fill(panel: Panel, history: History) -> None:
    """Draw the throughput into a panel, from zero."""
    unit, curves = _curves(history)
    panel.set_title(f"{unit.capitalize()}/s")
    values = finite(curve.series.value for curve in curves)
    set_value_axis(panel.ax, np.append(values, 0.0), room=(0.0, 0.1))
    panel.set_time()
    for curve in curves:
        draw_steps(panel, curve)


def _curves(history: History) -> tuple[str, list[Curve]]:
    for unit in ("samples", "steps"):
        curves = training(history, f"Throughput/{unit}_per_second")
        if curves:
            return unit, curves
    return "steps", []
