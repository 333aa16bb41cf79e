"""A quantity with one value a pass (accuracy, R², mean error): training and evaluation together."""

from __future__ import annotations

from typing import TYPE_CHECKING

from autotrack.reports.curves import draw_passes, name_line
from autotrack.reports.highlights import mark_extreme
from autotrack.reports.scales import finite, set_value_axis
from autotrack.reports.tags import before_training, evaluations, training

if TYPE_CHECKING:
    import numpy as np
    from numpy.typing import NDArray

    from autotrack.history import History
    from autotrack.reports.panel import Panel
    from autotrack.reports.tags import Curve


def curves_of(history: History, quantity: str) -> list[Curve]:
    """The curves of a quantity such as `Accuracy`: training first, then each evaluation phase."""
    return training(history, f"{quantity}/train") + evaluations(history, quantity)


def values_of(history: History, quantity: str) -> NDArray[np.float64]:
    """All finite values of a quantity's curves."""
    curves = curves_of(history, quantity)
    before = [before_training(history, quantity, curve) for curve in curves]
    drawn = [*curves, *(curve for curve in before if curve)]
    return finite(curve.series.value for curve in drawn)


def fill_passes(
    panel: Panel,
    history: History,
    quantity: str,
    title: str,
    *,
    higher_is_better: bool,
    unit: str = "",
) -> None:
    """Draw all curves of a quantity and mark the best value, of an evaluation if there is one."""
    curves, phases = curves_of(history, quantity), evaluations(history, quantity)
    panel.set_title(title if phases else f"Training {title}")
    set_value_axis(panel.ax, values_of(history, quantity))
    panel.set_time()
    best = (phases or curves)[0]
    for curve in curves:
        x, y = draw_passes(panel, curve, before=before_training(history, quantity, curve))
        if len(curves) > 1:
            name_line(panel, curve.name, x, y, curve.colour)
        if curve == best:
            mark_extreme(panel, curve, x, y, "best", highest=higher_is_better, unit=unit)
