"""A classifier that gives one answer whatever it sees.

The shares are those of an answer that does not depend on the input, and our own.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import numpy as np

from autotrack.findings._finding import Evidence, Finding

if TYPE_CHECKING:
    from collections.abc import Iterator

    from autotrack.history import History

EXPLAINS = ("not-learning", "plateau", "underfitting")

# Answers of other classes are at most this share of labels of other classes; and so much of the
# labels may be one class, else that answer may be right.
OTHERS = 0.05
LABELS = 0.9
# The first passes of a training may be so; so many at the end may not.
LAST = 2
FEWEST_SAMPLES = 20
# Standard deviations by which right answers exceed those of one class for all.
BEYOND_CHANCE = 3.0
# By this share the loss has come down where that is taken for a beginning.
LEARNS = 0.1
# What is said of one evaluation where classes are told apart in training, or in another one.
_NOT_AS_IN_TRAINING = (
    "The model tells classes apart in training mode and not as it is evaluated.",
    (
        "train for longer: the means of batch normalisation follow slowly",
        "prepare the inputs of both in the same way, with the same mean and deviation",
        "look at what model.eval() changes: dropout, batch normalisation of small batches",
    ),
)
_NOT_AS_IN_ANOTHER = (
    "What is evaluated there does not tell classes apart, and the model itself does.",
    (
        "train for longer, or average over fewer steps: an average of weights follows slowly",
        "prepare the inputs of both in the same way, with the same mean and deviation",
    ),
)


def find(history: History) -> Iterator[Finding]:
    """Find the first evaluation, else the training, that ends with one class predicted."""
    confusion: dict[str, Any] = getattr(history, "confusion", {})
    for phase in sorted(confusion, key=lambda name: name.startswith("train")):
        if _is_always_one(confusion[phase]):
            apart = [other for other in confusion if _tells_apart(confusion[other])]
            elsewhere = "train" if "train" in apart else next(iter(apart), None)
            learns = _still_learns(history, phase)
            yield _finding(phase, confusion[phase], elsewhere, learns=learns)
            return


def _still_learns(history: History, phase: str) -> bool:
    """Whether the loss came down and was lowest at the end."""
    series = history.get("Loss/train_epoch" if phase == "train" else f"Loss/{phase}")
    if series is None or len(series) <= LAST:
        return False
    first, last = float(series.value[0]), float(series.value[-1])
    return last == np.min(series.value) and 0 < last <= (1 - LEARNS) * first


def _tells_apart(series: Any) -> bool:
    """Whether the last passes have several answers, and more of them right than one would have.

    A model that moves has another only answer at each step.
    """
    if _is_always_one(series) is not False:
        return False
    counts = np.asarray(series.counts, np.float64)[-LAST:].sum(axis=0)
    samples, constant = counts.sum(), counts.sum(axis=1).max()
    by_chance = BEYOND_CHANCE * np.sqrt(constant * (1 - constant / samples))
    return bool(np.trace(counts) > constant + by_chance)


def _is_always_one(series: Any) -> bool | None:
    """Whether the last passes have one answer for labels of several classes.

    None where there are too few passes or samples, or hardly any other label.
    """
    counts = np.asarray(series.counts, np.float64)
    if len(counts) < LAST or (counts[-LAST:].sum(axis=(1, 2)) < FEWEST_SAMPLES).any():
        return None
    predicted, labels = counts[-LAST:].sum(axis=1), counts[-LAST:].sum(axis=2)
    samples = counts[-LAST:].sum(axis=(1, 2))
    others = [samples - counted.max(axis=1) for counted in (predicted, labels)]
    if not (labels.max(axis=1) <= LABELS * samples).all():
        return None
    return bool((others[0] <= OTHERS * others[1]).all())


def _finding(phase: str, series: Any, elsewhere: str | None, *, learns: bool) -> Finding:
    """Tell it of one evaluation, where classes are told apart `elsewhere`, or of the model."""
    last = np.asarray(series.counts[-1], np.float64).sum(axis=0)
    answer, epoch = int(last.argmax()), int(series.epoch[-1])
    share = float(last.max() / last.sum())
    text = f"{phase}: {100 * share:.1f} % of the answers are class {answer} at the end"
    evidence = Evidence(
        f"autotrack/confusion/{phase}",
        text,
        int(series.step[-LAST]),
        int(series.step[-1]),
        epoch if epoch >= 0 else None,
        share,
    )
    if elsewhere is not None:
        trains = elsewhere == "train"
        what, means = _NOT_AS_IN_TRAINING if trains else _NOT_AS_IN_ANOTHER
        return Finding(
            "one-class-predicted",
            "warning",
            f"Only class {answer} is predicted in {phase}, several are in "
            f"{'training' if trains else elsewhere}",
            what,
            means,
            (evidence,),
        )
    if learns:
        return Finding(
            "one-class-predicted",
            "warning",
            f"Only class {answer} is predicted so far",
            "The loss still comes down: how frequent each class is, is learned before what tells "
            "them apart.",
            ("train for longer", "raise the learning rate, if that takes too long"),
            (evidence,),
        )
    return Finding(
        "one-class-predicted",
        "problem",
        f"Only class {answer} is predicted",
        "The answer does not depend on the input: the model gives the most frequent class, or "
        "its output has collapsed.",
        (
            "look at the learning rate: a rate too high ends like this, one too low begins so",
            "make sure that inputs are normalised and labels belong to them",
            "with rare classes, weigh the loss by class or draw batches evenly",
        ),
        (evidence,),
    )
