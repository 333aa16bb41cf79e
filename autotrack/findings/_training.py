"""What several rules ask of a training as a whole."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np

from autotrack.findings._curves import Levels, levels
from autotrack.findings._record import by_stream, finite, phases, tag

if TYPE_CHECKING:
    from autotrack.history import History

# Fewer steps show no trend.
FEWEST_STEPS = 30
# A model that explains this much of its training data has learned, whatever its loss does.
LEARNED_ACCURACY = 60.0
LEARNED_R2 = 0.1
# Targets whose variance has grown by this factor, over so many passes at least, are not fixed.
MOVED = 3.0
FEWEST_PASSES = 4
# Percentage points of accuracy that chance alone hardly brings.
RISEN_ACCURACY = 10.0


def is_adversarial(history: History) -> bool:
    """Whether several optimizers train: their losses may rise because another's falls."""
    return len(history.streams) > 1


def has_goal(history: History) -> bool:
    """Whether the loss is sure to say how good the model is: there is accuracy, or evaluation.

    The loss of reinforcement learning, say, may rise in a training that goes well.
    """
    return bool(phases(history, "Loss")) or any(name.startswith("Accuracy/") for name in history)


def targets_move(history: History, stream: str) -> bool:
    """Whether the targets of a regression spread ever more, as those of Q-learning do.

    Its loss then rises while the model gets better. A mean squared error over the share of the
    variance that it leaves, 1 - R2, is the variance of the targets; of fixed ones that is the same
    in every pass. Other criteria of numbers go with it.
    """
    loss, score = history.get(tag("Loss/train_epoch", stream)), history.get(tag("R2/train", stream))
    if loss is None or score is None or history.coverage.get("composed", True):
        return False
    _, of_loss, of_score = np.intersect1d(loss.x, score.x, return_indices=True)
    left = 1 - score.value[of_score].astype(np.float64)
    spread = loss.value[of_loss][left > 0] / left[left > 0]
    if len(spread) < FEWEST_PASSES or not np.isfinite(spread).all():
        return False
    quarter = len(spread) // 4
    return bool(np.median(spread[-quarter:]) >= MOVED * np.median(spread[:quarter]))


def loss_levels(history: History, stream: str) -> Levels | None:
    """Return the levels of a stream's loss; None where there are too few steps."""
    series = history.get(tag("Loss/train", stream))
    values = finite(series) if series is not None else np.empty(0)
    return levels(values) if len(values) >= FEWEST_STEPS else None


def is_stuck(history: History, stream: str) -> bool:
    """Whether a stream's loss never came down, and no score says that the model has learned."""
    known = loss_levels(history, stream)
    return known is not None and not known.fell and not has_learned(history)


def has_learned(history: History) -> bool:
    """Whether accuracy or R2 says that the model explains its training data."""
    accuracies = [finite(series) for _, series in by_stream(history, "Accuracy/train")]
    scores = [finite(series) for _, series in by_stream(history, "R2/train")]
    # Where it stands at the end: a single pass may be ten points higher by chance.
    good = any(
        len(a)
        and (
            a[-1] >= LEARNED_ACCURACY
            or np.median(a[-max(1, len(a) // 3) :]) - a[0] >= RISEN_ACCURACY
        )
        for a in accuracies
    )
    return good or any(len(r) and r[-1] >= LEARNED_R2 for r in scores)


def is_scored(history: History) -> bool:
    """Whether accuracy or R2 of the training is in the record."""
    return any(name.startswith(("Accuracy/train", "R2/train")) for name in history)
