"""A model that explains little of its own training data, and stands still or is stopped early.

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
    from autotrack.series import Series

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

# Steps from which on a course can be told; the loss ends above this share of where it began, and
# over its last third came down at this share of its mean pace or faster.
FEWEST_OF_A_COURSE = 30
LEFT = 1 / 3
PACE = 0.6
# How many times what the levels may err by.
SURE = 6.0


def find(history: History) -> Iterator[Finding]:
    """Find a loss that came down little and then stood, or that still came down at the end."""
    if not is_adversarial(history):
        poor = _poor_scores(history)
        found = list(_still_falls(history, poor=bool(poor)))
        # A loss alone says nothing about how low it could be.
        yield from found or (_stands(history, poor) if poor else ())


def _poor_scores(history: History) -> list[Series]:
    """Return the training's scores where there are any, and none is good."""
    scores = [
        (series, good)
        for name, good in (("Accuracy/train", GOOD_ACCURACY), ("R2/train", GOOD_R2))
        for _, series in by_stream(history, name)
        if len(finite(series))
    ]
    if any(finite(series)[-1] >= good for series, good in scores):
        return []
    return [series for series, _ in scores]


def _stands(history: History, scores: list[Series]) -> Iterator[Finding]:
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
        evidence += [_score(s.tag, float(finite(s)[-1])) for s in scores]
        evidence += [_score(f"Loss/{p}", float(finite(s)[-1])) for p, s in phases(history, "Loss")]
        yield Finding(
            "underfitting",
            "warning",
            "Underfitting: training data is hardly explained",
            "The model has learned what it could at once and then stood still, on its own training "
            "data: it is too small, too restricted, the steps are wrong, or the inputs say no more "
            "of the targets.",
            (
                "try a larger model, or less regularisation (dropout, weight decay)",
                "try another learning rate, a factor of 3 up and down",
                "give it better features: are the inputs normalised and informative?",
            ),
            tuple(evidence),
            stream,
        )


def _still_falls(history: History, *, poor: bool) -> Iterator[Finding]:
    """Look for a course that had not begun to level off, in the evaluation neither."""
    evaluated = [y for _, series in phases(history, "Loss") if len(y := finite(series))]
    if any(y[-1] > y.min() for y in evaluated):
        return
    for stream, series in by_stream(history, "Loss/train"):
        y = finite(series)
        if len(y) < FEWEST_OF_A_COURSE:
            continue
        known, around = levels(y), max(1, len(y) // 20)
        third = float(np.median(y[2 * len(y) // 3 - around : 2 * len(y) // 3 + around]))
        fell = third - known.end
        whole = known.start - known.end
        # That a loss falls steadily is sure long before it has fallen by much.
        if known.end <= max(0.0, LEFT * known.start) or whole < SURE * known.doubt:
            continue
        if fell < max(PACE * whole / 3, SURE / 3 * known.doubt):
            continue
        text = (
            f"{series.tag} came down from {say(known.start)} to {say(known.end)}, "
            f"by {say(fell)} in its last third"
        )
        steps = int(series.step[2 * len(series) // 3]), int(series.step[-1])
        yield Finding(
            "underfitting",
            "warning" if poor else "note",
            "Training ended while the loss was still falling",
            "The curve had not begun to level off: what the model can learn, it has not learned "
            "yet.",
            (
                "train longer: as many epochs again",
                "or try a larger learning rate, by a factor of 3",
            ),
            (Evidence(series.tag, text, *steps, None, known.end),),
            stream,
        )


def _score(tag: str, value: float) -> Evidence:
    return Evidence(tag, f"{tag} ended at {say(value)}", value=value)
