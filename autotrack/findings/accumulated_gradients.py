"""Gradients that nobody clears: each step is made of all batches so far.

Decided by what was there when a step's first backward began: there is no threshold.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np

from autotrack.findings._finding import Evidence, Finding
from autotrack.findings._record import by_stream, say

if TYPE_CHECKING:
    from collections.abc import Iterator

    from autotrack.history import History

EXPLAINS = (
    "clipping-always",
    "divergence",
    "exploding-gradients",
    "loss-spikes",
    "not-learning",
    "oscillation",
    "plateau",
    "underfitting",
    "update-ratio-large",
)

FEWEST = 3
# Of the looks that were taken. A loop that clears its gradients now and then may mean it.
SHARE = 0.5


def find(history: History) -> Iterator[Finding]:
    """Find streams whose steps began with gradients of the step before."""
    losses = dict(by_stream(history, "Loss/train"))
    for stream, series in by_stream(history, "GradNorm/carried"):
        carried = series.value != 0
        found = int(carried.sum())
        steps = int(losses[stream].step[-1]) if stream in losses else int(series.step[-1])
        if found < FEWEST or found < SHARE * _looks(steps):
            continue
        last = float(series.value[carried][-1])
        text = (
            f"at {found} of {_looks(steps)} steps that were looked at, backward began with the "
            f"gradients of the step before; their norm was {say(last)} at the last"
        )
        yield Finding(
            "accumulated-gradients",
            "problem",
            "Gradients are never cleared",
            "backward adds to what is there. Without clearing, each step follows the sum over all "
            "batches since the start, and not the gradient of its own.",
            ("call optimizer.zero_grad() before each backward, or after each step",),
            (
                Evidence(
                    series.tag,
                    text,
                    int(series.step[carried][0]),
                    int(series.step[carried][-1]),
                    None,
                    last,
                ),
            ),
            stream,
        )


def _looks(last: int) -> int:
    """Return how often the record looked up to a step: at 1, 2, 3 and at powers of two."""
    powers = int(np.log2(last)) + 1 if last >= 1 else 0
    return max(powers + (last >= 3), 1)  # noqa: PLR2004 - the third step is no power of two
