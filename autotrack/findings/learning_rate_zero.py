"""A learning rate of zero: from the start, or a schedule that ends before the training does.

Zero is zero; the share of the run, and what counts as nothing beside the largest rate, were chosen
on our own benchmark.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np

from autotrack.findings._curves import levels
from autotrack.findings._finding import Evidence, Finding
from autotrack.findings._record import Floats, finite_between, moment, say, streams, tag

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
# For so much of the run the rate is below a tenth of its top. A cosine is there for a fifth.
TENTH = 0.0999
MOST = 0.6
# In half of the time before, the loss fell by this share; in all the time since, by less than half
# as much.
FALLING = 0.2
SLOWED = 0.5


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
        if len(rates) - ends >= FEWEST and _share_after(series, ends) >= LONG:
            title = f"No learning rate is left since {moment(series, ends)}"
            yield _finding(stream, series, ends, title, always=False)
        elif early := _too_early(history, stream, series, rates):
            yield early


def _share_after(series: Series, index: int) -> float:
    """Return how much of the run lies behind a point, by steps: points may be thinned out."""
    whole = int(series.step[-1] - series.step[0])
    return int(series.step[-1] - series.step[index]) / whole if whole else 0.0


def _too_early(history: History, stream: str, series: Series, rates: Floats) -> Finding | None:
    """Look for a rate that fell for good while the loss was falling, and stopped it."""
    losses = history.get(tag("Loss/train", stream))
    high = np.flatnonzero(rates >= TENTH * np.nanmax(rates))
    if losses is None or not len(high) or _share_after(series, int(high[-1])) < MOST:
        return None
    index = int(high[-1])
    step = int(series.step[index])
    before, after = finite_between(losses, 0, step), finite_between(losses, step + 1, None)
    if len(before) < FEWEST or len(after) < FEWEST:
        return None
    half, edge = len(before) // 2, max(3, len(before) // 8)
    middle = float(np.median(before[half - edge : half + edge]))
    there, end = float(np.median(before[-edge:])), levels(after).end
    if middle - there < FALLING * abs(middle) or there - end > SLOWED * (middle - there):
        return None
    text = (
        f"{losses.tag} fell from {say(middle)} to {say(there)} in the half before step {step:,}, "
        f"and then only to {say(end)}; the rate was below a tenth of its top from there on"
    )
    place = int(series.epoch[index])
    seen = Evidence(losses.tag, text, step, int(series.step[-1]), place if place >= 0 else None)
    return Finding(
        "learning-rate-zero",
        "warning",
        f"The learning rate falls too early, at {moment(series, index)}",
        "The loss was falling fast, and hardly moved any more once the rate was small.",
        ("give the schedule the right unit: a scheduler called each batch counts batches",),
        (seen,),
        stream,
    )


def _groups(history: History, stream: str) -> list[Series]:
    prefix = f"LearningRate/{stream}/group" if stream else "LearningRate/group"
    return [s for name, s in history.items() if name.startswith(prefix) and len(s)]


def _largest(groups: list[Series]) -> Floats:
    """Return the largest rate of all groups at each point of the first."""
    together = [np.interp(groups[0].step, group.step, group.value) for group in groups]
    largest: Floats = np.max(together, axis=0)
    return largest


def _finding(stream: str, series: Series, index: int, title: str, *, always: bool) -> Finding:
    epoch = int(series.epoch[index])
    whole = int(series.step[-1] - series.step[0]) + 1
    left = int(series.step[-1] - series.step[index]) + 1
    text = (
        f"{series.tag} is {series.value[index]:.3g} from step {series.step[index]:,} on: "
        f"{left:,} of {whole:,} steps"
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
