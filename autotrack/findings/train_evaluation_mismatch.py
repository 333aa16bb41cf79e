"""Training and evaluation that do not belong together.

Modes are counted while the run goes. The gaps were checked on our own benchmark: UMLAUT (its
`check_high_validation_acc`) warns of 5 points above training already, which dropout alone can do.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np

from autotrack.findings._finding import Evidence, Finding
from autotrack.findings._record import (
    Floats,
    by_stream,
    finite,
    finite_between,
    mode_counts,
    phases,
    say,
)
from autotrack.findings._training import RISEN_ACCURACY, is_adversarial, loss_levels

if TYPE_CHECKING:
    from collections.abc import Iterator

    from autotrack.findings._finding import Severity
    from autotrack.history import History
    from autotrack.series import Series

EXPLAINS = ("one-class-predicted",)

# Passes that agree to the last digit, while the training loss came down.
FEWEST_PASSES = 4
# Percentage points by which an evaluation is better than training, over the last half of the run.
BETTER = 20.0
# Percentage points by which the very training data is worse in evaluation.
WORSE = 20.0
# Percentage points of accuracy between them all through the last half: no overfitting is so large.
APART = 50.0
# An evaluation's loss is so many times that of training, in so many passes from the first on.
TIMES = 3.0
FIRST_PASSES = 3
FEWEST_STEPS = 5
# An evaluation is wrong hardly more often than training (errors by this factor at most), and its
# loss is so many times that of training and no trifle, in nats, all through the last half.
AS_OFTEN_WRONG = 1.25
AS_OFTEN_TIMES = 2.5
NO_TRIFLE = 0.1
# How often the model was seen in a mode.
FEWEST_SEEN = 2

_EVAL = (
    "call model.eval() before each evaluation and model.train() before training goes on",
    "wrap evaluation in torch.no_grad(); that alone does not switch dropout off",
)


def find(history: History) -> Iterator[Finding]:
    """Find forgotten `eval()` and `train()`, evaluations that never change, and odd gaps."""
    found = [*_modes(history), *_constant(history)]
    yield from found
    if not found and not is_adversarial(history):
        gaps = [*_apart(history), *_same_data(history), *_from_the_start(history)]
        yield from gaps or _far_surer(history)


def _modes(history: History) -> Iterator[Finding]:
    for phase, (training, evaluating, last) in sorted(mode_counts(history).items()):
        if phase == "train":
            if training and evaluating >= FEWEST_SEEN and not last:
                text = f"in training mode at {training} snapshots, later in eval() at {evaluating}"
                yield _finding(
                    "problem",
                    "train() is forgotten after evaluation",
                    text,
                    "The model was trained in eval() mode from some moment on: dropout is off, and "
                    "batch normalisation no longer learns its statistics.",
                )
        elif training:
            share = training / (training + evaluating)
            text = f"{phase}: in training mode in {training} of {training + evaluating} passes"
            severity: Severity = "problem" if share == 1 and training >= FEWEST_SEEN else "warning"
            yield _finding(
                severity,
                "Evaluated in training mode: eval() is missing",
                text,
                "Dropout drops and batch normalisation goes by the batch, and learns from data "
                "that is there for evaluation only: what is measured is not the model in use.",
            )


def _finding(
    severity: Severity,
    title: str,
    text: str,
    meaning: str,
    *,
    advice: tuple[str, ...] = _EVAL,
    tag: str = "autotrack/coverage",
) -> Finding:
    evidence = (Evidence(tag, text),)
    return Finding("train-evaluation-mismatch", severity, title, meaning, advice, evidence)


def _constant(history: History) -> Iterator[Finding]:
    levels = [loss_levels(history, stream) for stream, _ in by_stream(history, "Loss/train")]
    if not any(known is not None and known.fell for known in levels):
        return
    for _, series in phases(history, "Loss"):
        y = finite(series)
        if len(y) >= FEWEST_PASSES and (y == y[0]).all() and y[0] != 0:
            text = f"{series.tag} is exactly {say(float(y[0]))} in all {len(y)} passes"
            yield _finding(
                "problem",
                "The evaluation never changes",
                text,
                "The training loss came down, and the evaluation agrees to the last digit: it is "
                "not the trained model that is evaluated.",
                advice=(
                    "make sure that the evaluated model is the trained one, and no copy of it",
                    "look for predictions that are computed once and used again",
                ),
                tag=series.tag,
            )
            return


@dataclass(frozen=True)
class _Gap:
    """What a gap between training and evaluation means, by its direction and size."""

    sign: int
    least: float
    says: str
    severity: Severity
    title: str
    meaning: str
    advice: tuple[str, ...]


_GAPS = (
    _Gap(
        1,
        BETTER,
        "above",
        "warning",
        "Evaluation is far better than training",
        "Strong dropout or augmentation can do that. If there is none, the two are not measured "
        "alike, or the training metrics are of another kind of data.",
        (
            "measure the training data in eval() mode, too, and compare",
            "look for evaluation samples that are in the training set, or too easy",
        ),
    ),
    _Gap(
        -1,
        APART,
        "below",
        "problem",
        "Evaluation knows nothing of what training learned",
        "Training goes well, and evaluation is as if nothing had been learned: another model is "
        "evaluated, its data is prepared differently, or labels do not belong to their samples, so "
        "that all that training can do is to learn them by heart.",
        (
            "evaluate the training data in the same way: that should go well",
            "make sure that the evaluated model is the trained one",
            "look at inputs and labels of both side by side",
        ),
    ),
)


def _apart(history: History) -> Iterator[Finding]:
    """Find the first evaluation that is far above or below training all through its last half."""
    training = next((finite(s) for _, s in by_stream(history, "Accuracy/train")), np.empty(0))
    if _is_one_answer(history, training):
        return
    for _, series in phases(history, "Accuracy"):
        y = finite(series)
        half = min(len(y), len(training)) // 2
        if 2 * half < FEWEST_PASSES:
            continue
        for gap in _GAPS:
            width = float((gap.sign * (y[-half:] - training[-half:])).min())
            if width >= gap.least:
                text = f"{series.tag} is {width:.0f} points or more {gap.says} Accuracy/train"
                advice, tag = gap.advice, series.tag
                yield _finding(gap.severity, gap.title, text, gap.meaning, advice=advice, tag=tag)
                return


def _is_one_answer(history: History, training: Floats) -> bool:
    """Whether training is right no more often than the most frequent label: nothing is learned."""
    counts = getattr(history, "confusion", {}).get("train")
    if counts is None or not len(counts.counts) or not len(training):
        return False
    labels = counts.counts[-1].sum(axis=1)
    return bool(training[-1] <= 100 * labels.max() / max(labels.sum(), 1) + RISEN_ACCURACY)


def _same_data(history: History) -> Iterator[Finding]:
    training = [finite(s) for _, s in by_stream(history, "Accuracy/train")]
    evaluated = history.get("Accuracy/train_eval")
    if not training or evaluated is None or len(finite(evaluated)) < FEWEST_PASSES:
        return
    y = finite(evaluated)
    last = max(2, len(y) // 4)
    gap = float(np.median(training[0][-last:]) - np.median(y[-last:]))
    if gap >= WORSE:
        text = f"Accuracy/train_eval is {gap:.0f} points below Accuracy/train on the same data"
        yield _finding(
            "warning",
            "The training data is far worse in evaluation",
            text,
            "The same data gives other answers in eval() mode: the statistics of batch "
            "normalisation do not fit, or the data is prepared differently.",
            advice=(
                "use larger batches, a higher momentum of BatchNorm, or GroupNorm",
                "make sure that both are normalised in the same way",
            ),
            tag=evaluated.tag,
        )


def _from_the_start(history: History) -> Iterator[Finding]:
    """Look for an evaluation that is far off while training still sees each sample as new."""
    starts = history.epoch_starts()[1]
    training = history.get("Loss/train")
    for _, series in phases(history, "Loss"):
        number = min(len(starts), len(series), FIRST_PASSES)
        if training is None or number < FIRST_PASSES:
            return
        ratios = [_ratio(training, series, i, int(starts[i])) for i in range(number)]
        if min(ratios) < TIMES:
            continue
        text = (
            f"{series.tag} is {min(ratios):.1f} times the training loss or more in each of the "
            f"first {number} passes"
        )
        yield _finding(
            "warning",
            "Evaluation is far off from the start",
            text,
            "In its first epoch a model sees each sample for the first time, so that evaluation "
            "should go about as well. The statistics of batch normalisation do not fit, the data "
            "is prepared differently, or it is much harder.",
            advice=(
                "evaluate the training data in the same way: what does it give?",
                "with BatchNorm, use larger batches or a higher momentum, or GroupNorm",
            ),
            tag=series.tag,
        )
        return


def _far_surer(history: History) -> Iterator[Finding]:
    """Look for an evaluation that is right as often as training, and far surer where it errs."""
    known = [history.get(name) for name in ("Accuracy/train", "Loss/train_epoch")]
    if None in known:
        return
    right, loss = (finite(series) for series in known if series is not None)
    for phase, series in phases(history, "Loss"):
        scores = history.get(f"Accuracy/{phase}")
        evaluated, seen = finite(series), finite(scores) if scores is not None else np.empty(0)
        half = min(len(y) for y in (right, loss, evaluated, seen)) // 2
        if 2 * half < FEWEST_PASSES or loss[-half:].min() <= 0:
            continue
        # Half a point, for a single sample to make no difference where nothing is wrong.
        errors = (100.5 - seen[-half:]) / (100.5 - right[-half:])
        times = evaluated[-half:] / loss[-half:]
        if errors.max() > AS_OFTEN_WRONG or times.min() < AS_OFTEN_TIMES:
            continue
        if evaluated[-half:].min() < NO_TRIFLE:
            continue
        text = (
            f"{series.tag} is {times.min():.1f} times the training loss or more, though "
            f"Accuracy/{phase} and Accuracy/train hardly differ"
        )
        yield _finding(
            "warning",
            "Evaluation errs no more often, and at far higher cost",
            text,
            "As many answers are right as in training, and the loss is a multiple of it: the "
            "evaluation's inputs are on another scale, or its loss is another one.",
            advice=(
                "prepare the inputs of both in the same way, with the same mean and deviation",
                "make sure that both use the same criterion, with the same reduction",
            ),
            tag=series.tag,
        )
        return


def _ratio(training: Series, evaluated: Series, index: int, start: int) -> float:
    """Return a pass's loss over that of the last tenth of the training steps of its epoch."""
    seen = finite_between(training, start, int(evaluated.step[index]) - 1)
    last = seen[-max(FEWEST_STEPS, len(seen) // 10) :]
    loss = float(evaluated.value[index])
    if len(last) < FEWEST_STEPS or not np.median(last) > 0 or not np.isfinite(loss):
        return 0.0
    return loss / float(np.median(last))
