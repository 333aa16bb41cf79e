"""A loss that jumps up and down from step to step, instead of scattering.

Noise of batches is independent from step to step. A step that is too long lands on the other side
of a valley, so that high follows low follows high: neighbours are negatively correlated (the
classical sign of gradient descent beyond the stable learning rate). Both numbers are our own.
AutoTrainer counts epochs instead: a fifth of them with accuracy up and down by 3 points.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np

from autotrack.findings._curves import calm, spread
from autotrack.findings._finding import Evidence, Finding
from autotrack.findings._record import Floats, by_stream, finite, phases, say
from autotrack.findings._training import is_adversarial

if TYPE_CHECKING:
    from collections.abc import Iterator

    from autotrack.history import History
    from autotrack.series import Series

# Points that tell a zigzag from chance: of white noise, one in a million is beyond CORRELATED.
FEWEST = 60
CORRELATED = -0.6
# More points tell no more.
MOST = 5000
# Jumps of less than this share of the level are no matter.
WIDE = 0.2
# With so few batches an epoch, the batches themselves may take turns at being hard.
FEWEST_BATCHES = 8
# Passes of an evaluation, and how far each is from its neighbours, as a share of the level.
FEWEST_PASSES = 10
WIDE_PASSES = 0.3


def find(history: History) -> Iterator[Finding]:
    """Find losses whose neighbours alternate, and evaluations that jump."""
    if is_adversarial(history):
        return
    for stream, series in by_stream(history, "Loss/train"):
        if _batches_an_epoch(history, stream, series) in range(2, FEWEST_BATCHES):
            passes = [s for name, s in by_stream(history, "Loss/train_epoch") if name == stream]
            found = [f for s in passes for f in _alternates(s, stream)]
        else:
            found = list(_alternates(series, stream))
        yield from found
        if not found and len(history.streams) == 1:
            yield from _jumps(history)


def _batches_an_epoch(history: History, stream: str, series: Series) -> int:
    epochs = len(history.epoch_starts(stream)[0])
    return round(len(series) / epochs) if epochs else 0


def _alternates(series: Series, stream: str) -> Iterator[Finding]:
    y = finite(series)
    # How it ends counts: many trainings begin so and calm down.
    y = y[len(y) // 2 :][-MOST:]
    if len(y) < FEWEST:
        return
    rest = y - calm(y, 11)
    level = float(np.median(np.abs(y)))
    together = _correlation(rest)
    width = float(np.percentile(y, 90) - np.percentile(y, 10))
    if together > CORRELATED or width < WIDE * level or spread(rest) < WIDE / 4 * level:
        return
    text = (
        f"{series.tag} swings between {say(float(np.percentile(y, 10)))} and "
        f"{say(float(np.percentile(y, 90)))}; correlation of neighbours {together:.2f}"
    )
    yield _finding(series, text, together, stream)


def _correlation(rest: Floats) -> float:
    square = float((rest * rest).sum())
    return float((rest[1:] * rest[:-1]).sum()) / square if square else 0.0


def _jumps(history: History) -> Iterator[Finding]:
    for _, series in phases(history, "Loss"):
        y = finite(series)
        y = y[len(y) // 3 :]
        if len(y) < FEWEST_PASSES or not (y > 0).all():
            continue
        leaps = np.abs(np.diff(y)) / np.median(y)
        if np.median(leaps) < WIDE_PASSES:
            continue
        share = 100 * float(np.median(leaps))
        text = f"{series.tag} changes by {share:.0f} % of its level from pass to pass"
        yield _finding(series, text, share, "")
        return


def _finding(series: Series, text: str, value: float, stream: str) -> Finding:
    first = len(series) // 2
    steps = int(series.step[first]), int(series.step[-1])
    return Finding(
        "oscillation",
        "warning",
        "The loss oscillates",
        "Steps overshoot: one undoes a part of the one before, and time is lost to the zigzag.",
        (
            "lower the learning rate by a factor of 3",
            "with momentum, lower it; with small batches, enlarge them",
            "let the learning rate fall over the run",
        ),
        (Evidence(series.tag, text, *steps, None, value),),
        stream,
    )
