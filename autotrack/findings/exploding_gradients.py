"""Gradients that grow beyond measure: over the run, in bursts, or towards the input.

Exploding gradients are described by Pascanu, Mikolov and Bengio (ICML 2013), with clipping as the
remedy. The factors were checked on our own benchmark: gradients of a sound training grow tenfold
easily, a hundredfold hardly. AutoTrainer takes a first layer with 70 times the norm of the last for
exploding; by root mean squares and over the run, ten thousand times is.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np

from autotrack.findings._curves import levels, surroundings
from autotrack.findings._finding import Evidence, Finding
from autotrack.findings._layers import early_to_late, middle, weight_gradients
from autotrack.findings._record import (
    Floats,
    by_stream,
    finite,
    finite_between,
    histograms,
    say,
    tag,
)
from autotrack.findings._training import FEWEST_STEPS, is_adversarial, loss_levels

if TYPE_CHECKING:
    from collections.abc import Iterator

    from autotrack.history import History
    from autotrack.series import Series

EXPLAINS = ("not-learning",)

# The norm ends at this many times its start, while the loss did not come down.
GROWN = 100.0
# Single norms of this many times what is around them, and of ten times the start.
BURST = 100.0
BURST_OF_START = 10.0
FEWEST_BURSTS = 3
AROUND = 51
# The first quarter's gradients against the last quarter's.
RATIO = 1e4
FEWEST_WEIGHTS = 4
# An untrained classifier's cross entropy is about ln C of its C classes (Karpathy, "A Recipe for
# Training Neural Networks", 2019, tells to look there first), an untrained regression's R2 about 0.
LOSS_OF_CHANCE = 4.0
R2_OF_CHANCE = -10.0
# Targets far from zero do that to R2 as well. Then the weights matter little to the loss: moved by
# a hundredth of their norm along the gradient, they change it by less than half.
SENSITIVE = 50.0


def find(history: History) -> Iterator[Finding]:
    """Find streams whose gradients explode, in the first of these ways that fits."""
    for stream, series in by_stream(history, "GradNorm/total"):
        y = finite(series)
        if len(y) < FEWEST_STEPS:
            continue
        evidence = _growth(history, stream, series) or _bursts(series)
        evidence = evidence or _depth(history, stream) or _beginning(history, stream)
        if evidence is None:
            continue
        known = loss_levels(history, stream)
        bad = known is not None and not known.fell and not is_adversarial(history)
        yield Finding(
            "exploding-gradients",
            "problem" if bad else "warning",
            "Gradients explode",
            "Some steps see gradients so large that one update can undo what was learned.",
            (
                "clip gradients by norm before the step",
                "lower the learning rate, or warm it up",
                "look at the initialisation, and at the scale of inputs and targets",
            ),
            (evidence,),
            stream,
        )


def _growth(history: History, stream: str, series: Series) -> Evidence | None:
    # A generator's gradients are next to nothing until there is something to tell it.
    if is_adversarial(history):
        return None
    norms, losses = levels(finite(series)), loss_levels(history, stream)
    if losses is None or losses.fell or norms.start <= 0 or norms.end < GROWN * norms.start:
        return None
    text = f"{series.tag} grew from {say(norms.start)} to {say(norms.end)}"
    return Evidence(series.tag, text, int(series.step[0]), int(series.step[-1]), None, norms.end)


def _bursts(series: Series) -> Evidence | None:
    shown = np.flatnonzero(np.isfinite(series.value))
    y = series.value[shown].astype(np.float64)
    if series.tag.partition("/")[2].startswith("clipped") or len(y) < 2 * AROUND:
        return None
    start = levels(y).start
    high = np.flatnonzero((y > BURST * surroundings(y, AROUND)) & (y > BURST_OF_START * start))
    far = shown[[index for index in high.tolist() if _stands_out(y, index)]]
    if len(far) < FEWEST_BURSTS:
        return None
    largest = float(series.value[far].max())
    text = f"{series.tag} is up to {say(largest)} at {len(far)} steps, {say(start)} at the start"
    return Evidence(
        series.tag, text, int(series.step[far[0]]), int(series.step[far[-1]]), None, largest
    )


def _stands_out(y: Floats, index: int) -> bool:
    """Whether a norm is far beyond those before it as well: of a steep fall the top is no burst."""
    before = y[max(0, index - AROUND) : index]
    return len(before) > 0 and bool(y[index] > BURST * np.median(before))


def _depth(history: History, stream: str) -> Evidence | None:
    layers = weight_gradients(history, stream)
    if layers is None or len(layers.names) < FEWEST_WEIGHTS:
        return None
    ratio = middle(early_to_late(layers))
    if not ratio > RATIO:
        return None
    text = (
        f"gradients of {layers.names[0]} are {say(ratio)} times larger than those of "
        f"{layers.names[-1]}"
    )
    return Evidence("autotrack/gradient_norm", text, layers.steps[0], layers.steps[-1], None, ratio)


def _is_sensitive(history: History) -> bool:
    """Whether the first loss hangs on the weights' scale: norms of gradient and weights over it."""
    loss, norm = history.get("Loss/train"), history.get("GradNorm/total")
    squares = [
        float(series.total_squares[0])
        for _, series in histograms(history, "Weights")
        if series.step[0] == 0
    ]
    if loss is None or norm is None or not squares or loss.step[0] or norm.step[0]:
        return False
    length = float(norm.value[0]) * float(np.sqrt(sum(squares)))
    return length > SENSITIVE * abs(float(loss.value[0]))


def _of_a_sample(history: History, stream: str, series: Series, loss: float) -> float:
    """Return a step's loss as that of one sample: a criterion that sums gives that of its batch.

    The passes' means are over samples; so much larger as the steps of the first pass are in the
    mean, so many samples stand in one.
    """
    passes = history.get(tag("Loss/train_epoch", stream))
    means = finite(passes) if passes is not None else np.empty(0)
    if passes is None or not len(means) or means[0] <= 0:
        return loss
    seen = finite_between(series, 0, int(passes.step[0]) - 1)
    return loss * float(means[0] / seen.mean()) if len(seen) and seen.mean() > 0 else loss


def _beginning(history: History, stream: str) -> Evidence | None:
    """Look for outputs that are far too large before anything is learned."""
    series, score = history.get(tag("Loss/train", stream)), history.get(tag("R2/train", stream))
    if score is not None and (y := finite(score))[:1] < R2_OF_CHANCE and _is_sensitive(history):
        text = f"{score.tag} is {say(float(y[0]))} in the first pass: outputs are far too large"
        return Evidence(score.tag, text, 0, int(score.step[0]), None, float(y[0]))
    # Of several streams another one's classes say nothing of this loss.
    alone = len(list(by_stream(history, "Loss/train"))) == 1
    wanted = history.confusion if alone else [tag("train", stream)]
    counts = [history.confusion[name].counts for name in wanted if name in history.confusion]
    if series is None or not counts or not len(y := finite(series)):
        return None
    # A loss that adds up several calls, or anything else, begins where nobody can say.
    if history.coverage.get("composed", True):
        return None
    chance = float(np.log(counts[0].shape[-1]))
    if _of_a_sample(history, stream, series, float(y[0])) < LOSS_OF_CHANCE * chance:
        return None
    text = f"{series.tag} begins at {say(float(y[0]))}; guessing would give {say(chance)}"
    return Evidence(series.tag, text, int(series.step[0]), int(series.step[0]), None, float(y[0]))
