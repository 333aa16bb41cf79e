"""Says where a figure's numbers were not recorded at every step, to keep within the budget."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np

from autotrack.reports.scales import whole
from autotrack.saying import ordinal

if TYPE_CHECKING:
    from autotrack.history import History
    from autotrack.reports.panel import Panel

# What is counted, where that is not steps.
_UNITS = {"snapshots": "snapshot"}


def say_interval(panel: Panel, history: History, part: str) -> None:
    """Say beside the title at which interval the numbers of a part were recorded, if at one."""
    text = interval_text(history, part)
    if text and not panel.small:
        told = panel.aside.get_text() if panel.aside is not None else ""
        panel.set_title(panel.ax.get_title(), " · ".join(word for word in (told, text) if word))


def interval_sentence(history: History, part: str) -> str:
    """The same as a sentence that follows another one, or nothing."""
    text = interval_text(history, part)
    return f" Recorded {text}, to keep within the budget." if text else ""


def interval_text(history: History, part: str) -> str:
    """`every 5th step from step 1,200` for the widest interval; empty where every step counts."""
    known = history.intervals.get(part)
    if known is None or not np.nanmax(known.value, initial=1.0) > 1:
        return ""
    wide = np.flatnonzero(known.value > 1)
    every = int(np.nanmax(known.value))
    start = int(known.step[wide[0]])
    upto = "up to " if len(np.unique(known.value[wide])) > 1 else ""
    where = f" from step {whole(start)}" if start else ""
    return f"{upto}every {ordinal(every)} {_UNITS.get(part, 'step')}{where}"
