"""Steps that change the weights so much that little of them is left.

The notes of CS231n ("Neural Networks Part 3", ratio of weights:updates) take a thousandth of the
weight's norm a step for about right; a hundred times that, with a loss that hardly falls,
is taken for too much here.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np

from autotrack.findings._finding import Evidence, Finding
from autotrack.findings._record import by_stream, finite, say
from autotrack.findings._training import has_learned, is_adversarial, loss_levels

if TYPE_CHECKING:
    from collections.abc import Iterator

    from autotrack.history import History

EXPLAINS = ("not-learning", "plateau", "underfitting")

# Snapshots without the first, at which weights may still be zero.
FEWEST = 3
LARGE = 0.1
# The loss came down by less than this share of its start.
LITTLE = 0.5


def find(history: History) -> Iterator[Finding]:
    """Find streams with huge updates and a loss that hardly came down."""
    for stream, series in by_stream(history, "UpdateRatio/total"):
        y = finite(series)[1:]
        known = loss_levels(history, stream)
        if len(y) < FEWEST or known is None or is_adversarial(history):
            continue
        middle = float(np.median(y))
        if middle <= LARGE or has_learned(history):
            continue
        if known.start - known.end > LITTLE * abs(known.start):
            continue
        text = f"median of {series.tag} is {say(middle)}; about 0.001 is usual"
        yield Finding(
            "update-ratio-large",
            "warning",
            "The steps are too large",
            "A step changes the weights by a tenth of their size or more, and the loss hardly came "
            "down: what one step learns, the next overwrites.",
            ("lower the learning rate by a factor of 10 to 100",),
            (Evidence(series.tag, text, int(series.step[0]), int(series.step[-1]), None, middle),),
            stream,
        )
