"""Where an evaluation was best: a named event, no fault."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np

from autotrack.findings._finding import Evidence, Finding
from autotrack.findings._record import moment, phases, say

if TYPE_CHECKING:
    from collections.abc import Iterator

    from autotrack.history import History
    from autotrack.series import Series

# Of two passes one is better, and that says nothing.
FEWEST_PASSES = 3


def find(history: History) -> Iterator[Finding]:
    """Find the best pass of the first evaluation that has accuracy, else loss."""
    for quantity, better in (("Accuracy", 1.0), ("Loss", -1.0)):
        for phase, series in phases(history, quantity):
            values = better * series.value.astype(np.float64)
            shown = values[np.isfinite(values)]
            if len(shown) >= FEWEST_PASSES and shown.min() < shown.max():
                best = int(np.nanargmax(np.where(np.isfinite(values), values, np.nan)))
                yield _finding(phase, series, best, quantity)
                return


def _finding(phase: str, series: Series, best: int, quantity: str) -> Finding:
    unit = " %" if quantity == "Accuracy" else ""
    what = "accuracy" if quantity == "Accuracy" else "loss"
    value, place = float(series.value[best]), moment(series, best)
    last = best == len(series) - 1
    step, epoch = int(series.step[best]), int(series.epoch[best])
    return Finding(
        "best-epoch",
        "note",
        f"Best {phase[:16]} {what} {say(value)}{unit} at {place}",
        "The evaluation was still improving at the end."
        if last
        else "The evaluation was not better at any other moment of the training.",
        ("train longer: the last evaluation was the best",) if last else (),
        (
            Evidence(
                series.tag,
                f"{series.tag} is {say(value)}{unit} at {place}",
                step,
                step,
                epoch if epoch >= 0 else None,
                value,
            ),
        ),
    )
