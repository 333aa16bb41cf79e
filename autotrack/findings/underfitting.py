"""A model that explains little of its own training data, and has stopped improving.

The shares were checked on our own benchmark.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np

from autotrack.findings._curves import cells, levels
from autotrack.findings._finding import Evidence, Finding
from autotrack.findings._record import by_stream, finite, phases, say
from autotrack.findings._training import is_adversarial

if TYPE_CHECKING:
    from collections.abc import Iterator

    from autotrack.history import History

EXPLAINS = ("plateau",)

# Fewer steps may be just too few.
FEWEST = 100
# The loss ends above this share of where it began ...
KEPT = 2 / 3
# ... and in the last third came down by less than this share of its start.
STILL = 0.03
# Scores that are no underfitting, whatever the loss began with.
GOOD_ACCURACY = 80.0
GOOD_R2 = 0.5


def find(history: History) -> Iterator[Finding]:
    """Find a loss that came down little and then stood, training and evaluation alike."""
    if is_adversarial(history):
        return
    scores = [
        (series, good)
        for name, good in (("Accuracy/train", GOOD_ACCURACY), ("R2/train", GOOD_R2))
        for _, series in by_stream(history, name)
        if len(finite(series))
    ]
    # A loss alone says nothing about how low it could be.
    if not scores or any(finite(series)[-1] >= good for series, good in scores):
        return
    for stream, series in by_stream(history, "Loss/train"):
        y = finite(series)
        if len(y) < FEWEST:
            continue
        known, course = levels(y), cells(y, 12)
        later = float(np.median(course[-5:-3]) - np.median(course[-2:]))
        if known.start <= 0 or not known.fell or known.end < KEPT * known.start:
            continue
        if abs(later) >= max(STILL * known.start, 2 * known.doubt):
            continue
        text = f"{series.tag} came down from {say(known.start)} to {say(known.end)} and stands"
        evidence = [Evidence(series.tag, text, 0, int(series.step[-1]), None, known.end)]
        evidence += [_score(s.tag, float(finite(s)[-1])) for s, _ in scores]
        evidence += [_score(f"Loss/{p}", float(finite(s)[-1])) for p, s in phases(history, "Loss")]
        yield Finding(
            "underfitting",
            "warning",
            "Underfitting: training data is hardly explained",
            "The model has learned what it could at once and then stood still, on its own training "
            "data: it is too small, too restricted, or the steps are wrong.",
            (
                "try a larger model, or less regularisation (dropout, weight decay)",
                "try another learning rate, a factor of 3 up and down",
                "give it better features: are the inputs normalised and informative?",
            ),
            tuple(evidence),
            stream,
        )


def _score(tag: str, value: float) -> Evidence:
    return Evidence(tag, f"{tag} ended at {say(value)}", value=value)
