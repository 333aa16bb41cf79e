"""A learning rate of zero: from the start, or a schedule that ends before the training does.

Zero is zero; the share of the run, and what counts as nothing beside the largest rate, were chosen
on our own benchmark.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np

from autotrack.findings._finding import Evidence, Finding
from autotrack.findings._record import Floats, moment, streams

if TYPE_CHECKING:
    from collections.abc import Iterator

    from autotrack.history import History
    from autotrack.series import Series

EXPLAINS = ("frozen-parameters", "not-learning", "plateau", "underfitting", "update-ratio-small")

FEWEST = 10
# A cosine spends less than a hundredth of its length below this share of its top.
NOTHING = 1e-5
# So much of the run goes by without learning.
LONG = 0.1


def find(history: History) -> Iterator[Finding]:
    """Find streams all of whose rates are zero, or become so before the end."""
    for stream in streams(history):
        groups = _groups(history, stream)
        if not groups or len(groups[0]) < FEWEST:
            continue
        series = groups[0]
        rates = _largest(groups)
        top = float(np.nanmax(rates)) if np.isfinite(rates).any() else float("nan")
        if top == 0:
            yield _finding(stream, series, 0, "The learning rate is zero", always=True)
            continue
        learning = np.flatnonzero(~(rates <= NOTHING * top))
        ends = int(learning[-1]) + 1 if len(learning) else 0
        if len(rates) - ends >= max(LONG * len(rates), FEWEST):
            title = f"No learning rate is left since {moment(series, ends)}"
            yield _finding(stream, series, ends, title, always=False)


def _groups(history: History, stream: str) -> list[Series]:
    prefix = f"LearningRate/{stream}/group" if stream else "LearningRate/group"
    return [s for name, s in history.items() if name.startswith(prefix) and len(s)]


def _largest(groups: list[Series]) -> Floats:
    """Return the largest rate of all groups at each point of the first."""
    together = [np.interp(groups[0].step, group.step, group.value) for group in groups]
    largest: Floats = np.max(together, axis=0)
    return largest


def _finding(stream: str, series: Series, index: int, title: str, *, always: bool) -> Finding:
    epoch, left = int(series.epoch[index]), len(series) - index
    text = (
        f"{series.tag} is {series.value[index]:.3g} from step {series.step[index]:,} on: "
        f"{left:,} of {len(series):,} steps"
    )
    return Finding(
        "learning-rate-zero",
        "problem" if always else "warning",
        title,
        "Steps with a learning rate of zero change nothing: this part of the training is lost "
        "time.",
        (
            "look at lr and at the warm-up of the schedule: does it ever step?",
            "make sure that the optimizer steps before the scheduler",
        )
        if always
        else (
            "give the schedule as many steps as it takes: with each batch, epochs times batches",
        ),
        (
            Evidence(
                series.tag,
                text,
                int(series.step[index]),
                int(series.step[-1]),
                epoch if epoch >= 0 else None,
                float(series.value[index]),
            ),
        ),
        stream,
    )
