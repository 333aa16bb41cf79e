"""Steps whose loss stands far above that of its neighbours, alone or in a row, and comes back.

A spike is beyond ten robust standard deviations of its surroundings, and half as high again; where
next to nothing is left of where the loss began, ten times as high. A setback is a sharp rise by as
much to a level that is held for a while. The numbers were checked on our own benchmark.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np

from autotrack.findings._curves import spread, surroundings
from autotrack.findings._drops import drops_of
from autotrack.findings._finding import Evidence, Finding
from autotrack.findings._record import Floats, by_stream, say
from autotrack.findings._training import has_goal, is_adversarial

if TYPE_CHECKING:
    from collections.abc import Iterator

    from numpy.typing import NDArray

    from autotrack.history import History
    from autotrack.series import Series

FEWEST = 100
# Beyond its surroundings, in robust standard deviations and as a factor.
FAR = 10.0
HIGH = 1.5
# A spike that is less than this share of where the loss began, in the median of its first steps,
# must be so many times as high.
SLIGHT, TOWERING, FIRST = 0.01, 10.0, 11
AROUND = 51
# Where more than this share stands out, the noise is like that: rare hard samples, small batches.
RARE = 0.02
# Closer steps belong to one spike.
APART = 3
# So many are no accident.
MANY = 5
_SHOWN = 5
# Setbacks that cost this share of the run are worth a warning.
COSTLY = 0.1


def find(history: History) -> Iterator[Finding]:
    """Find spikes of each stream's loss, else setbacks."""
    for stream, series in by_stream(history, "Loss/train"):
        shown = np.flatnonzero(np.isfinite(series.value))
        if len(shown) < FEWEST:
            continue
        found = list(_spikes(series, shown, stream))
        if not found and has_goal(history) and not is_adversarial(history):
            found = list(_setbacks(series, shown, stream))
        yield from found


def _spikes(series: Series, shown: NDArray[np.intp], stream: str) -> Iterator[Finding]:
    y = series.value[shown].astype(np.float64)
    around = surroundings(y, AROUND)
    far = _stands_out(y, around)
    starts = far[np.diff(far, prepend=-AROUND) > APART]
    if len(starts) and len(far) <= max(RARE * len(y), 2):
        worst = sorted(starts, key=lambda index: around[index] - y[index])[:_SHOWN]
        evidence = tuple(_spike(series, int(shown[i]), around[i]) for i in sorted(worst))
        many = len(starts) >= MANY
        number = "One loss spike" if len(starts) == 1 else f"{len(starts)} loss spikes"
        yield Finding(
            "loss-spikes",
            "warning" if many else "note",
            number,
            "The loss of a few steps stands far above its surroundings and comes back: a batch of "
            "outliers, or a step too long for where the weights were.",
            (
                "look at the batches of these steps: wrong labels, broken samples?",
                "clip gradients by norm",
                *(("lower the learning rate, or warm it up longer",) if many else ()),
            ),
            evidence,
            stream,
        )


def _setbacks(series: Series, shown: NDArray[np.intp], stream: str) -> Iterator[Finding]:
    y = series.value[shown].astype(np.float64)
    lost, evidence = 0, []
    for rise in sorted(drops_of(-y, lasting=False), key=lambda drop: drop.end):
        before, after = -rise.before, -rise.after
        back = np.flatnonzero(y[rise.end :] <= before)
        if not len(back) or before <= 0 or after < HIGH * before or rise.end <= AROUND // 2:
            continue
        first, last = shown[rise.end], shown[rise.end + back[0]]
        steps = int(series.step[first]), int(series.step[last])
        lost += int(back[0])
        text = (
            f"{series.tag} rose from {say(before)} to {say(after)} at step {steps[0]:,} and was "
            f"back at step {steps[1]:,}"
        )
        epoch = int(series.epoch[first])
        evidence.append(Evidence(series.tag, text, *steps, epoch if epoch >= 0 else None, after))
    if evidence:
        yield Finding(
            "loss-spikes",
            "warning" if lost > COSTLY * len(y) else "note",
            "The loss jumped up and came back",
            "From one step to the next much of what was learned is lost, and learned again: the "
            "learning rate jumps, or one update was far too large.",
            (
                "look at the learning rate at these steps: a schedule that jumps?",
                "clip gradients by norm",
            ),
            tuple(evidence),
            stream,
        )


def _stands_out(y: Floats, around: Floats) -> NDArray[np.intp]:
    rest = y - around
    least = FAR * spread(rest)
    # The beginning of a training is steep, and its first step no spike.
    high = np.where(rest < SLIGHT * np.median(y[:FIRST]), TOWERING, HIGH)
    far = np.flatnonzero((rest > least) & (rest > (high - 1) * np.abs(around)) & (least > 0))
    return far[far > AROUND // 2]


def _spike(series: Series, index: int, around: float) -> Evidence:
    value, step, epoch = float(series.value[index]), int(series.step[index]), series.epoch[index]
    text = f"{series.tag} is {say(value)} at step {step:,}, around it {say(float(around))}"
    return Evidence(series.tag, text, step, step, int(epoch) if epoch >= 0 else None, value)
