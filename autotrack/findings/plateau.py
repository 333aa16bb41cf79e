"""A loss that came down and then stood for the rest of the run: a named stretch, no fault.

The share of the run was checked on our own benchmark.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np

from autotrack.findings._curves import calm, cells, levels, noise
from autotrack.findings._finding import Evidence, Finding
from autotrack.findings._record import by_stream, finite, moment, say
from autotrack.findings._training import is_adversarial

if TYPE_CHECKING:
    from collections.abc import Iterator

    from autotrack.history import History

FEWEST = 100
# The loss stands for this share of the run at least ...
LONG = 0.5
# ... within this share of its whole fall, and of where it stands: near zero a loss may fall by a
# factor of a hundred in what looks like nothing beside its beginning.
WITHIN = 0.02
WITHIN_ITSELF = 0.25
_CELLS = 40
_LAST = 4


def find(history: History) -> Iterator[Finding]:
    """Find the stretch at the end of a run in which the loss no longer fell."""
    if is_adversarial(history):
        return
    for stream, series in by_stream(history, "Loss/train"):
        y = finite(series)
        if len(y) < FEWEST or len(y) < len(series) or not levels(y).fell:
            continue
        # A single stretch that stands out is noise, at the end as well.
        course = calm(cells(y, _CELLS), 5)
        last = float(np.median(course[-_LAST:]))
        close = min(WITHIN * float(course[0] - course.min()), WITHIN_ITSELF * abs(last))
        close = max(close, 2 * noise(course))
        above = np.flatnonzero(course > last + close)
        begins = int(above[-1]) + 1 if len(above) else 0
        if begins > (1 - LONG) * len(course) or course[begins:].min() < last - close:
            continue
        index = min(begins * len(y) // len(course), len(y) - 1)
        text = f"{series.tag} stays at {say(last)} from step {series.step[index]:,} on"
        place = int(series.epoch[index])
        yield Finding(
            "plateau",
            "note",
            f"The loss stands since {moment(series, index)}",
            "From here on the training brought the loss no further down. That is how a training "
            "ends that has found what it can, or one whose learning rate no longer fits.",
            (
                "if this is good enough, stop here next time",
                "if not, lower the learning rate at that moment, or use a schedule",
            ),
            (
                Evidence(
                    series.tag,
                    text,
                    int(series.step[index]),
                    int(series.step[-1]),
                    place if place >= 0 else None,
                    last,
                ),
            ),
            stream,
        )
