"""Steps that hardly move the weights.

The notes of CS231n ("Neural Networks Part 3", ratio of weights:updates) take a thousandth of the
weight's norm a step for about right; a hundredth of that, with a loss that hardly falls,
is taken for too little here.
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

# Snapshots without the first, which may stand in a warm-up.
FEWEST = 3
SMALL = 1e-5
# The loss came down by less than this share of its start.
LITTLE = 0.2


def find(history: History) -> Iterator[Finding]:
    """Find streams with tiny updates and a loss that hardly came down."""
    for stream, series in by_stream(history, "UpdateRatio/total"):
        y = finite(series)[1:]
        known = loss_levels(history, stream)
        if len(y) < FEWEST or known is None or is_adversarial(history) or not (y > 0).any():
            continue
        middle = float(np.median(y[y > 0]))
        if middle >= SMALL or has_learned(history):
            continue
        if known.start - known.end > LITTLE * abs(known.start):
            continue
        text = f"median of {series.tag} is {say(middle)}; about 0.001 is usual"
        yield Finding(
            "update-ratio-small",
            "warning",
            "The steps are too small to get anywhere",
            "A step changes the weights by less than a hundred-thousandth of their size, and the "
            "loss hardly came down.",
            ("raise the learning rate by a factor of 10 to 100",),
            (Evidence(series.tag, text, int(series.step[0]), int(series.step[-1]), None, middle),),
            stream,
        )
