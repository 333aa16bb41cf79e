"""A loss that rises and stays up: beyond where it began, or up again after it had come down.

The factors are our own, checked on our benchmark.
"""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING

import numpy as np

from autotrack.findings._curves import Levels, cells, levels
from autotrack.findings._finding import Evidence, Finding
from autotrack.findings._record import Floats, by_stream, finite, say
from autotrack.findings._training import FEWEST_STEPS, has_goal, is_adversarial, targets_move
from autotrack.runaway import has_run_away

if TYPE_CHECKING:
    from collections.abc import Iterator

    from autotrack.findings._finding import Severity
    from autotrack.history import History
    from autotrack.series import Series

EXPLAINS = (
    "exploding-gradients",
    "loss-spikes",
    "not-learning",
    "oscillation",
    "overfitting",
    "plateau",
    "sharp-drops",
    "underfitting",
    "update-ratio-large",
)

# The loss ends at this many times its start. Doubling is far beyond the noise of any curve here.
GROWN = 2.0
# The evaluation of a loss that falls below zero ends at this many times its first pass.
RISEN = 5.0
# Of what the loss had come down, this much is lost again.
LOST = 0.8
# It had come down by this share of its start at least, else there was nothing to lose.
LEARNED = 0.3
# The last stretches (of twenty) that must all be up, so that a spike at the end is none.
LAST = 2


def find(history: History) -> Iterator[Finding]:
    """Find each stream whose loss ends far above its start, or above its best."""
    for stream, series in by_stream(history, "Loss/train"):
        shown = np.isfinite(series.value)
        y = series.value[shown].astype(np.float64)
        if len(y) < FEWEST_STEPS or targets_move(history, stream):
            continue
        known, last = levels(y), float(cells(y)[-LAST:].min())
        if known.start <= 0 or -known.best > known.start:
            # A loss that may be as far below zero has no ratio: what evaluation says decides.
            yield from _below_zero(history, stream, series, known)
            continue
        lost = _lost(known, last)
        if has_run_away(known.start, last) or (
            last >= GROWN * known.start and not is_adversarial(history)
        ):
            yield _finding(history, stream, series, known, grown=True)
        elif lost and not is_adversarial(history):
            yield _finding(history, stream, series, known, grown=False)


def _below_zero(history: History, stream: str, series: Series, known: Levels) -> Iterator[Finding]:
    """Find a loss that falls below zero while the same criterion rises in evaluation."""
    passes = [s for name, s in history.items() if name.startswith(("Loss/val", "Loss/test"))]
    for evaluated in passes:
        y = finite(evaluated)
        if known.end < known.start and len(y) >= LAST and y[0] > 0 and y[-1] >= RISEN * y[0]:
            finding = _finding(history, stream, series, known, grown=True)
            text = f"{evaluated.tag} rose from {say(float(y[0]))} to {say(float(y[-1]))} meanwhile"
            rose = Evidence(evaluated.tag, text, None, int(evaluated.step[-1]), None, float(y[-1]))
            advice = ("look at the sign of the loss that backward is called on",)
            yield replace(
                finding,
                title="Loss falls below zero while evaluation gets worse",
                advice=advice,
                evidence=(*finding.evidence, rose),
            )
            return


def _lost(known: Levels, last: float) -> bool:
    came_down = known.start - known.best
    if came_down < max(LEARNED * known.start, 6 * known.doubt):
        return False
    return last - known.best >= LOST * came_down


def _finding(
    history: History, stream: str, series: Series, known: Levels, *, grown: bool
) -> Finding:
    certain = has_goal(history) or has_run_away(known.start, known.end)
    severity: Severity = "problem" if certain else "warning"
    first = _rises(series, known)
    step = int(series.step[first])
    epoch = int(series.epoch[first])
    text = (
        f"{series.tag} began at {say(known.start)}, was {say(known.best)} at its lowest and ended "
        f"at {say(known.end)}"
    )
    evidence = Evidence(
        series.tag,
        text,
        step,
        int(series.step[-1]),
        epoch if epoch >= 0 else None,
        known.end,
    )
    place = f"epoch {epoch}" if epoch >= 0 else f"step {step:,}"
    return Finding(
        "divergence",
        severity,
        f"Loss diverges from {place}" if grown else f"Loss rose again from {place} and stayed up",
        "The training made the model worse, and did not come back: steps are larger than the loss "
        "surface allows, or something changed at that moment.",
        (
            "lower the learning rate by a factor of 3 to 10",
            "clip gradients by norm, and warm the learning rate up",
            "look at what changes there: the schedule, a new part of the data, an unfrozen layer",
        ),
        (evidence,),
        stream,
    )


def _rises(series: Series, known: Levels) -> int:
    """Return where the loss last crossed half way between its best and its final level."""
    y: Floats = series.value.astype(np.float64)
    low = np.flatnonzero(y <= (known.best + known.end) / 2)
    return min(int(low[-1]) + 1, len(y) - 1) if len(low) else 0
