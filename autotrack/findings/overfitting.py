"""An evaluation loss that rises while the training loss goes on falling.

SageMaker Debugger's `overfit` takes an evaluation loss a tenth above the training loss
(`ratio_threshold`) for too much, which healthy runs have; here it must stand a tenth above the best
of its own curve, and beyond its noise.
The other numbers were checked on our own benchmark.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np

from autotrack.findings._curves import calm, noise
from autotrack.findings._finding import Evidence, Finding
from autotrack.findings._record import Floats, by_stream, finite, moment, phases, say
from autotrack.findings._training import is_adversarial

if TYPE_CHECKING:
    from collections.abc import Iterator

    from autotrack.findings._finding import Severity
    from autotrack.history import History
    from autotrack.series import Series

FEWEST_PASSES = 5
# The loss of the evaluation ends so much above its best, as a share of that best ...
RISEN = 0.1
RISEN_BADLY = 0.5
# ... and by so many standard deviations of its noise.
BEYOND_NOISE = 4.0
# The training loss came down by this share since then.
STILL_FALLING = 0.03
# Accuracy lost since its best, in percentage points, that makes rising badly a problem.
LOST_ACCURACY = 1.0
# Accuracies, in percent, of a model that knows its training data by heart and little else.
BY_HEART = 95.0
GAP = 20.0


@dataclass(frozen=True)
class _Rise:
    best: int
    since: int
    low: float
    end: float


def find(history: History) -> Iterator[Finding]:
    """Find the first evaluation whose loss rises, else one whose accuracy stays far behind."""
    if is_adversarial(history):
        return
    for phase, series in phases(history, "Loss"):
        rise = _rise(series)
        if rise is not None and _training_fell(history, series, rise):
            yield _rising(history, phase, series, rise)
            return
    for phase, series in phases(history, "Accuracy"):
        training = [s for _, s in by_stream(history, "Accuracy/train") if len(finite(s))]
        if len(series) < FEWEST_PASSES or not training or not len(finite(series)):
            continue
        known, shown = float(finite(training[0])[-1]), float(finite(series)[-1])
        if known >= BY_HEART and known - shown >= GAP:
            yield _gap(phase, series, known, shown)
            return


def _rise(series: Series) -> _Rise | None:
    shown = np.flatnonzero(np.isfinite(series.value))
    y = series.value[shown].astype(np.float64)
    if len(y) < FEWEST_PASSES:
        return None
    smooth = calm(y)
    best = int(smooth.argmin())
    after = y[best + 1 :]
    if len(after) < max(2, len(y) // 10):
        return None
    low, end = float(smooth[best]), float(np.median(after[-max(2, len(y) // 10) :]))
    if low <= 0 or end - low < max(RISEN * low, BEYOND_NOISE * noise(y)):
        return None
    high = y > low + max(RISEN / 4 * low, noise(y))
    low_again = np.flatnonzero(~high)
    since = int(low_again[-1]) + 1
    if since >= len(y):
        return None
    return _Rise(int(shown[int(y[: since + 1].argmin())]), int(shown[since]), low, end)


def _training_fell(history: History, series: Series, rise: _Rise) -> bool:
    """Whether the training loss fell on since the evaluation's best."""
    for _, training in by_stream(history, "Loss/train_epoch"):
        then, now = _around(training, int(series.step[rise.best])), finite(training)
        if then is not None and len(now):
            return bool(np.median(now[-3:]) < (1 - STILL_FALLING) * then)
    for _, training in by_stream(history, "Loss/train"):
        y, steps = training.value.astype(np.float64), training.step
        near = max(3, len(y) // 20)
        place = int(np.searchsorted(steps, series.step[rise.best]))
        before, last = y[max(0, place - near) : place], y[-near:]
        before, last = before[np.isfinite(before)], last[np.isfinite(last)]
        if len(before) and len(last):
            return bool(np.median(last) < (1 - STILL_FALLING) * np.median(before))
    return False


def _around(training: Series, step: int) -> float | None:
    values: Floats = training.value.astype(np.float64)
    near = np.flatnonzero((training.step <= step) & np.isfinite(values))
    return float(values[near[-1]]) if len(near) else None


def _rising(history: History, phase: str, series: Series, rise: _Rise) -> Finding:
    share = rise.end / rise.low - 1
    accuracy = dict(phases(history, "Accuracy")).get(phase)
    lost = _lost(accuracy)
    text = (
        f"{series.tag} was lowest at {moment(series, rise.best)} ({say(rise.low)}) and ended "
        f"{100 * share:.0f} % higher ({say(rise.end)})"
    )
    epoch = int(series.epoch[rise.best])
    evidence = [
        Evidence(
            series.tag,
            text,
            int(series.step[rise.best]),
            int(series.step[-1]),
            epoch if epoch >= 0 else None,
            rise.low,
        )
    ]
    if accuracy is not None and lost is not None:
        words = f"fell by {lost:.1f} points from its best" if lost > 0 else "did not fall"
        evidence.append(Evidence(accuracy.tag, f"{accuracy.tag} {words}", value=lost))
    bad = share >= RISEN_BADLY and (lost is None or lost >= LOST_ACCURACY)
    severity: Severity = "problem" if bad else "warning"
    return Finding(
        "overfitting",
        severity,
        f"Overfitting since {moment(series, rise.since)}",
        "The model goes on learning its training data by heart, and gets worse, or too sure of "
        "itself, on data that it has not seen.",
        (
            f"use the weights of {moment(series, rise.best)}, and stop there (early stopping)",
            "add regularisation: weight decay, dropout, augmentation",
            "train on more data, or with a smaller model",
        ),
        tuple(evidence),
    )


def _lost(accuracy: Series | None) -> float | None:
    values = finite(accuracy) if accuracy is not None else np.empty(0)
    if len(values) < FEWEST_PASSES:
        return None
    return float(calm(values).max() - np.median(values[-max(2, len(values) // 10) :]))


def _gap(phase: str, series: Series, known: float, shown: float) -> Finding:
    text = f"Accuracy/train ended at {say(known)} %, {series.tag} at {say(shown)} %"
    step = int(series.step[-1])
    return Finding(
        "overfitting",
        "warning",
        f"Overfitting: train {known:.0f} %, {phase[:20]} {shown:.0f} %",
        "The model knows its training data by heart and does much worse on data that it has not "
        "seen.",
        (
            "add regularisation: weight decay, dropout, augmentation",
            "train on more data, or with a smaller model",
            "make sure that both sets are prepared in the same way",
        ),
        (Evidence(series.tag, text, step, step, None, known - shown),),
    )
