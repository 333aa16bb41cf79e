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


def find(history: History) -> Iterator[Finding]:
    """Find the first evaluation, else the training, that ends with one class predicted."""
    confusion: dict[str, Any] = getattr(history, "confusion", {})
    for phase in sorted(confusion, key=lambda name: name.startswith("train")):
        series = confusion[phase]
        counts = np.asarray(series.counts, np.float64)
        if len(counts) < LAST or (counts[-LAST:].sum(axis=(1, 2)) < FEWEST_SAMPLES).any():
            continue
        predicted, labels = counts[-LAST:].sum(axis=1), counts[-LAST:].sum(axis=2)
        samples = counts[-LAST:].sum(axis=(1, 2))
        others = [samples - counted.max(axis=1) for counted in (predicted, labels)]
        always = (others[0] <= OTHERS * others[1]).all()
        varied = (labels.max(axis=1) <= LABELS * samples).all()
        if not always or not varied:
            continue
        answer, epoch = int(predicted[-1].argmax()), int(series.epoch[-1])
        share = float(predicted[-1].max() / samples[-1])
        text = f"{phase}: {100 * share:.1f} % of the answers are class {answer} at the end"
        step = int(series.step[-1])
        yield Finding(
            "one-class-predicted",
            "problem",
            f"Only class {answer} is predicted",
            "The answer does not depend on the input: the model gives the most frequent class, or "
            "its output has collapsed.",
            (
                "look at the learning rate: too high a rate often ends like this",
                "make sure that inputs are normalised and labels belong to them",
                "with rare classes, weigh the loss by class or draw batches evenly",
            ),
            (
                Evidence(
                    f"autotrack/confusion/{phase}",
                    text,
                    int(series.step[-LAST]),
                    step,
                    epoch if epoch >= 0 else None,
                    share,
                ),
            ),
        )
        return
