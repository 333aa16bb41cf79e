"""What a reader looks for in a curve: its lowest and highest point and its sharp drops."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np
from numpy.typing import NDArray

from autotrack.findings import drops_of
from autotrack.reports.curves import ring
from autotrack.reports.palette import current
from autotrack.reports.panel import EndLabel, Note, Panel
from autotrack.reports.positions import is_per_step
from autotrack.reports.scales import MINUS, number
from autotrack.reports.style import letters

if TYPE_CHECKING:
    from autotrack.findings import Drop
    from autotrack.reports.tags import Curve

Floats = NDArray[np.float64]

# Below this share of what it was, a value is said to be divided by a number.
_TINY = 0.01


def mark_extreme(
    panel: Panel,
    curve: Curve,
    x: Floats,
    y: Floats,
    word: str,
    *,
    highest: bool = False,
    unit: str = "",
) -> None:
    """Mark the lowest (or highest) drawn point of a curve by a ring, its value and its moment.

    Of several trainings in turn the last one's, as it is the one that is judged.
    """
    y = np.where(_in_last_training(panel, curve, x), y, np.nan)
    shown = y[np.isfinite(y)]
    if not len(shown):
        return
    best = int(np.nanargmax(y) if highest else np.nanargmin(y))
    ring(panel, float(x[best]), float(y[best]), curve.colour)
    value = number(float(curve.series.value[best])) + unit
    if len(shown) == 1:
        text = value
    elif shown.min() == shown.max():
        text = f"constant {value}"
    elif panel.small:
        text = f"{word} {value}"
    else:
        text = f"{word} {value} · {panel.time.moment(curve.series, best)}"
    panel.notes.append(
        Note(text, float(x[best]), float(y[best]), letters(curve.colour), rank=9, needed=True)
    )


def mark_last(panel: Panel, curve: Curve, x: Floats, y: Floats) -> None:
    """Mark the last drawn point of a curve by its value."""
    shown = np.flatnonzero(np.isfinite(y))
    if len(shown):
        last = int(shown[-1])
        text = number(float(curve.series.value[last]))
        panel.ends.append(EndLabel(text, float(x[last]), float(y[last]), letters(curve.colour)))


def mark_drops(panel: Panel, curve: Curve, x: Floats, y: Floats, *, log: bool = False) -> None:
    """Mark the few largest sharp drops of a curve, in the last training, by an arrow each.

    Beside it stands how much was lost.
    """
    last = _in_last_training(panel, curve, x)
    x, y = x[last], y[last]
    for drop in drops_of(y, log=log):
        place = float(x[drop.end])
        arrow = {
            "arrowstyle": "-|>,head_width=0.18,head_length=0.35",
            "color": current().ink,
            "linewidth": 0.9,
            "shrinkA": 0,
            "shrinkB": 0,
        }
        panel.ax.annotate("", (place, drop.after), (place, drop.before), arrowprops=arrow, zorder=5)
        middle = np.sqrt(drop.before * drop.after) if log else (drop.before + drop.after) / 2
        panel.notes.append(Note(_loss_of(drop), place, float(middle), rank=2))


def _in_last_training(panel: Panel, curve: Curve, x: Floats) -> NDArray[np.bool_]:
    """Return which points belong to the last of several trainings in turn."""
    begins = panel.time.partings()[-1:]
    if not len(begins):
        return np.ones(len(x), bool)
    # A pass stands where its last step is done: where the next training begins.
    return x >= begins if is_per_step(curve.series.tag) else x > begins


def _loss_of(drop: Drop) -> str:
    if drop.after < 0:
        return number(drop.after - drop.before, 2)
    share = drop.after / drop.before
    return f"÷ {number(1 / share, 2)}" if 0 < share < _TINY else f"{MINUS}{100 * (1 - share):.0f} %"
