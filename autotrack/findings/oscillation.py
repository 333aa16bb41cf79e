"""A loss that jumps up and down from step to step, instead of scattering.

Noise of batches is independent from step to step. A step that is too long lands on the other side
of a valley, so that high follows low follows high: neighbours are negatively correlated (the
classical sign of gradient descent beyond the stable learning rate). With much momentum it swings to
and fro in waves of many steps: of a wave, unlike of noise, most moves go on in the direction of the
one before. All numbers are our own. AutoTrainer counts epochs instead: a fifth of them with
accuracy up and down by 3 points.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np

from autotrack.findings._curves import calm, spread
from autotrack.findings._finding import Evidence, Finding
from autotrack.findings._record import Floats, by_stream, finite, phases, say
from autotrack.findings._training import is_adversarial

if TYPE_CHECKING:
    from collections.abc import Iterator

    from autotrack.findings._finding import Severity
    from autotrack.history import History
    from autotrack.series import Series

EXPLAINS = ("sharp-drops",)

# Points that tell a zigzag from chance: of white noise, one in a million is beyond CORRELATED.
FEWEST = 60
CORRELATED = -0.6
# More points tell no more.
MOST = 5000
# Jumps of less than this share of the level are no matter.
WIDE = 0.2
# With so few batches an epoch, the batches themselves may take turns at being hard.
FEWEST_BATCHES = 8
# A wave turns round so often, over such a share of the run, each time by so large a factor.
FEWEST_TURNS = 6
SPAN = 1 / 3
TURN = 1.3
# It goes up and down for so large a share of the time each: a spike is up and down again at once.
BOTH_WAYS = 0.05
# The share of moves that go on as the one before did: a third in noise, nearly all in a slow wave.
ONWARDS = 0.5
# Passes of an evaluation, and how far each is from its neighbours, as a share of the level.
FEWEST_PASSES = 10
WIDE_PASSES = 0.3


def find(history: History) -> Iterator[Finding]:
    """Find losses whose neighbours alternate, and evaluations that jump."""
    if is_adversarial(history):
        return
    for stream, series in by_stream(history, "Loss/train"):
        if _batches_an_epoch(history, stream, series) in range(2, FEWEST_BATCHES):
            courses = [s for name, s in by_stream(history, "Loss/train_epoch") if name == stream]
        else:
            courses = [series]
        found = [f for s in courses for f in _alternates(s, stream)]
        if not found and not _rate_goes_up_and_down(history, stream):
            found = [f for s in courses for f in _waves(s, stream)]
        yield from found
        if not found and len(history.streams) == 1:
            yield from _jumps(history)


def _batches_an_epoch(history: History, stream: str, series: Series) -> int:
    epochs = len(history.epoch_starts(stream)[0])
    return round(len(series) / epochs) if epochs else 0


def _alternates(series: Series, stream: str) -> Iterator[Finding]:
    y = finite(series)
    # How it ends counts: many trainings begin so and calm down.
    y = y[len(y) // 2 :][-MOST:]
    if len(y) < FEWEST:
        return
    rest = y - calm(y, 11)
    level = float(np.median(np.abs(y)))
    together = _correlation(rest)
    width = float(np.percentile(y, 90) - np.percentile(y, 10))
    if together > CORRELATED or width < WIDE * level or spread(rest) < WIDE / 4 * level:
        return
    text = (
        f"{series.tag} swings between {say(float(np.percentile(y, 10)))} and "
        f"{say(float(np.percentile(y, 90)))}; correlation of neighbours {together:.2f}"
    )
    yield _finding(series, text, together, stream)


def _correlation(rest: Floats) -> float:
    square = float((rest * rest).sum())
    return float((rest[1:] * rest[:-1]).sum()) / square if square else 0.0


def _waves(series: Series, stream: str) -> Iterator[Finding]:
    y = finite(series)
    y = y[len(y) // 10 :][-MOST:]
    if len(y) < FEWEST or y.min() <= 0:
        return
    course = np.log(y)
    moves = np.sign(np.diff(course))
    moves = moves[moves != 0]
    if len(moves) < FEWEST // 2 or np.mean(moves[1:] == moves[:-1]) < ONWARDS:
        return
    turns = _turns(course, float(np.log(TURN)))
    if len(turns) < FEWEST_TURNS or turns[-1] - turns[0] < SPAN * len(y):
        return
    if min(_ways(turns)) < BOTH_WAYS * (turns[-1] - turns[0]):
        return
    text = f"{series.tag} turns round {len(turns)} times, by {TURN - 1:.0%} or more each time"
    goes_on = turns[-1] > (1 - SPAN) * len(y)
    yield _finding(series, text, len(turns), stream, "warning" if goes_on else "note")


def _turns(y: Floats, least: float) -> list[int]:
    """Return where a curve turns round: each extreme that is `least` away from its neighbours."""
    turns: list[int] = []
    high = low = direction = 0
    for index, value in enumerate(y):
        high = index if value > y[high] else high
        low = index if value < y[low] else low
        if direction >= 0 and y[high] - value >= least:
            turns += [high] if direction else []
            direction, low = -1, index
        elif direction <= 0 and value - y[low] >= least:
            turns += [low] if direction else []
            direction, high = 1, index
    return turns


def _ways(turns: list[int]) -> tuple[int, int]:
    """Return for how many steps a curve goes to its first turn's side, and for how many back."""
    lengths = np.diff(turns)
    return int(lengths[::2].sum()), int(lengths[1::2].sum())


def _rate_goes_up_and_down(history: History, stream: str) -> bool:
    """Whether the learning rate rises again and again: then the loss follows it."""
    for name, series in history.items():
        if name.startswith("LearningRate/") and (not stream or f"/{stream}/" in name):
            rises = np.diff((np.diff(finite(series)) > 0).astype(int)) == 1
            if rises.sum() > 1:
                return True
    return False


def _jumps(history: History) -> Iterator[Finding]:
    for _, series in phases(history, "Loss"):
        y = finite(series)
        y = y[len(y) // 3 :]
        if len(y) < FEWEST_PASSES or not (y > 0).all():
            continue
        leaps = np.abs(np.diff(y)) / np.median(y)
        if np.median(leaps) < WIDE_PASSES:
            continue
        share = 100 * float(np.median(leaps))
        text = f"{series.tag} changes by {share:.0f} % of its level from pass to pass"
        yield _finding(series, text, share, "")
        return


def _finding(
    series: Series, text: str, value: float, stream: str, severity: Severity = "warning"
) -> Finding:
    first = len(series) // 2
    steps = int(series.step[first]), int(series.step[-1])
    return Finding(
        "oscillation",
        severity,
        "The loss oscillates",
        "Steps overshoot: one undoes a part of the one before, and time is lost to the zigzag.",
        (
            "lower the learning rate by a factor of 3",
            "with momentum, lower it; with small batches, enlarge them",
            "let the learning rate fall over the run",
        ),
        (Evidence(series.tag, text, *steps, None, value),),
        stream,
    )
