"""Says where a figure's numbers were not recorded at every step, to keep within the budget."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np

from autotrack.reports.scales import whole

if TYPE_CHECKING:
    from autotrack.history import History
    from autotrack.reports.panel import Panel

_ORDINALS = {1: "st", 2: "nd", 3: "rd"}


def say_interval(panel: Panel, history: History, *parts: str) -> None:
    """Say beside the title at which interval the numbers of `parts` were recorded, if at one."""
    text = interval_text(history, *parts)
    if text and not panel.small:
        told = panel.aside.get_text() if panel.aside is not None else ""
        panel.set_title(panel.ax.get_title(), " · ".join(word for word in (told, text) if word))


def interval_text(history: History, *parts: str) -> str:
    """`every 5th step from step 1,200` for the widest interval; empty where every step counts."""
    known = [series for part in parts if (series := history.intervals.get(part)) is not None]
    widest = max(known, key=lambda series: np.nanmax(series.value, initial=1.0), default=None)
    if widest is None or not np.nanmax(widest.value, initial=1.0) > 1:
        return ""
    wide = np.flatnonzero(widest.value > 1)
    every = int(np.nanmax(widest.value))
    start = int(widest.step[wide[0]])
    upto = "up to " if len(np.unique(widest.value[wide])) > 1 else ""
    where = f" from step {whole(start)}" if start else ""
    return f"{upto}every {_ordinal(every)} step{where}"


def _ordinal(number: int) -> str:
    teen = number % 100 in (11, 12, 13)
    return f"{whole(number)}{'th' if teen else _ORDINALS.get(number % 10, 'th')}"
