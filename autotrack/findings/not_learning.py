"""A loss that never came down.

SageMaker Debugger's `loss_not_decreasing` wants a fall of 0.1 % within ten steps (`diff_percent`,
`num_steps`), which the noise of batches hides; here the level of the start is compared with the
lowest level reached, against the noise.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np

from autotrack.findings._curves import noise
from autotrack.findings._finding import Evidence, Finding
from autotrack.findings._record import by_stream, finite, say, tag
from autotrack.findings._training import (
    is_adversarial,
    is_scored,
    is_stuck,
    loss_levels,
    targets_move,
)

if TYPE_CHECKING:
    from collections.abc import Iterator

    from autotrack.history import History

EXPLAINS = ("oscillation", "plateau", "underfitting")

# Fewer steps of a slow training show nothing yet.
FEWEST = 100
# Of so many passes in an order that chance alone brings about less than once in a hundred times.
FEWEST_PASSES, IN_ORDER = 6, 0.9
# The first step's loss is above the level of the start by so many times the noise, and this share.
ABOVE, SHARE = 10.0, 0.3

_OVERFIT = "try to overfit ten samples: a sound loop drives their loss to zero"
# Title, meaning and advice.
_STANDS = (
    "The loss never came down",
    (
        "The model is no better than before the training: what it is told does not reach its "
        "weights, or does not fit the inputs."
    ),
    (
        _OVERFIT,
        "try learning rates ten times larger and smaller",
        "look at a batch: do inputs vary, are they normalised, do labels fit them?",
        "make sure that the output layer fits the loss (no softmax before cross_entropy)",
    ),
)
_CREEPS = (
    "The loss hardly came down",
    (
        "It falls from pass to pass, but by very little: the steps are too small, or the inputs "
        "say little about the targets."
    ),
    ("try a learning rate ten times larger", "train for longer", _OVERFIT),
)
_AT_ONCE = (
    "The loss came down in its first steps only",
    (
        "Within a few steps training came to a standstill: steps that are far too long leave dead "
        "or saturated units behind, and a model that says the same of every sample."
    ),
    ("try learning rates ten and a hundred times smaller, or a warm-up", _OVERFIT),
)


def find(history: History) -> Iterator[Finding]:
    """Find a loss without a fall, where no score says that the model has learned."""
    if is_adversarial(history):
        return
    for stream, series in by_stream(history, "Loss/train"):
        known = loss_levels(history, stream)
        if known is None or len(series) < FEWEST or not is_stuck(history, stream):
            continue
        if targets_move(history, stream):
            continue
        y = finite(series)
        at_once = y[0] - known.start > max(ABOVE * noise(y), SHARE * abs(known.start))
        text = (
            f"{series.tag} began at {say(float(y[0]) if at_once else known.start)}, was "
            f"{say(known.best)} at its lowest and ended at {say(known.end)}"
        )
        creeps = _creeps(history, stream)
        title, meaning, advice = _AT_ONCE if at_once else _CREEPS if creeps else _STANDS
        evidence = Evidence(series.tag, text, 0, int(series.step[-1]), None, known.end)
        yield Finding(
            "not-learning",
            # A loss alone may have been low from the start, or mean something else.
            "problem" if is_scored(history) and not creeps else "warning",
            title,
            meaning,
            advice,
            (evidence,),
            stream,
        )


def _creeps(history: History, stream: str) -> bool:
    """Whether the passes' means fall too evenly for chance (the pairs of Kendall's tau)."""
    series = history.get(tag("Loss/train_epoch", stream))
    means = finite(series) if series is not None else np.empty(0)
    if len(means) < FEWEST_PASSES:
        return False
    earlier, later = np.triu_indices(len(means), 1)
    return bool(np.mean(means[later] < means[earlier]) >= IN_ORDER)
