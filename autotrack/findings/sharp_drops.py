"""Sharp drops of the loss: named events, often a change of the learning rate.

The factors stand with `_drops`, which the figures use as well; they were chosen by eye.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np

from autotrack.findings._drops import drops_of
from autotrack.findings._finding import Evidence, Finding
from autotrack.findings._record import by_stream, say

if TYPE_CHECKING:
    from collections.abc import Iterator

    from autotrack.history import History
    from autotrack.series import Series

FEWEST = 100
# Every training falls sharply in its first steps.
FIRST = 0.05


def find(history: History) -> Iterator[Finding]:
    """Find where each stream's loss drops sharply from one level to another."""
    for stream, series in by_stream(history, "Loss/train"):
        y = series.value.astype(np.float64)
        if np.isfinite(y).sum() < FEWEST:
            continue
        drops = [drop for drop in drops_of(y) if drop.end >= FIRST * len(y)]
        if drops:
            evidence = tuple(
                _drop(series, drop.end, drop.before, drop.after)
                for drop in sorted(drops, key=lambda drop: drop.end)
            )
            title = "A sharp drop of the loss" if len(drops) == 1 else "Sharp drops of the loss"
            yield Finding(
                "sharp-drops",
                "note",
                title,
                "The loss fell from one level to another at once: the learning rate changed, or "
                "the model found something out.",
                (),
                evidence,
                stream,
            )


def _drop(series: Series, index: int, before: float, after: float) -> Evidence:
    step, epoch = int(series.step[index]), int(series.epoch[index])
    text = f"{series.tag} falls from {say(before)} to {say(after)} at step {step:,}"
    return Evidence(series.tag, text, step, step, epoch if epoch >= 0 else None, after)
