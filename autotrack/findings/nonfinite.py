"""A loss or a gradient that is NaN or infinite.

Decided by the values themselves: there is no threshold. SageMaker Debugger's `exploding_tensor` is
the same check.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np

from autotrack.findings._finding import Evidence, Finding
from autotrack.findings._record import by_stream, moment

if TYPE_CHECKING:
    from collections.abc import Iterator

    from autotrack.history import History
    from autotrack.series import Series

EXPLAINS = (
    "clipping-always",
    "divergence",
    "exploding-gradients",
    "frozen-parameters",
    "loss-spikes",
    "not-learning",
    "one-class-predicted",
    "oscillation",
    "overfitting",
    "plateau",
    "sharp-drops",
    "underfitting",
    "update-ratio-large",
    "vanishing-gradients",
)


def find(history: History) -> Iterator[Finding]:
    """Find the first value of each stream's loss and gradient that is not finite."""
    for stream, losses in by_stream(history, "Loss/train"):
        norms = dict(by_stream(history, "GradNorm/total")).get(stream)
        evidence = [e for series in (losses, norms) if series is not None for e in _seen(series)]
        if evidence:
            evidence += _first_parameter(history)
            first = min(evidence, key=lambda e: e.first_step or 0)
            yield _finding(stream, first, losses, tuple(evidence))


def _seen(series: Series) -> Iterator[Evidence]:
    missing = np.flatnonzero(~np.isfinite(series.value))
    if not len(missing):
        return
    first, last = int(missing[0]), int(missing[-1])
    share = f"{len(missing)} of {len(series)} values"
    yield Evidence(
        series.tag,
        f"{series.tag} is {series.value[first]} at step {series.step[first]}; {share} not finite",
        int(series.step[first]),
        int(series.step[last]),
        int(series.epoch[first]) if series.epoch[first] >= 0 else None,
        float(series.value[first]),
    )


def _first_parameter(history: History) -> Iterator[Evidence]:
    for tag, where in history.coverage.get("nonfinite", {}).items():
        if "parameter" in where:
            step, name = int(where["step"]), where["parameter"]
            text = f"the first non-finite gradient is that of {name}, at step {step}"
            yield Evidence(tag, text, step, step)


def _finding(
    stream: str, first: Evidence, losses: Series, evidence: tuple[Evidence, ...]
) -> Finding:
    what = "Loss" if first.tag.startswith("Loss") else "Gradients"
    ended_so = not np.isfinite(losses.value[-1])
    index = int(np.searchsorted(losses.step, first.first_step or 0))
    place = moment(losses, min(index, len(losses) - 1))
    return Finding(
        "nonfinite",
        "problem",
        f"{what} not finite since {place}" if ended_so else f"{what} not finite at {place}",
        "A number overflowed or was undefined. From then on weights may be NaN, and nothing that "
        "follows says anything about the model."
        if ended_so
        else "A number overflowed or was undefined for a while; the loss became finite again.",
        (
            "lower the learning rate, or warm it up",
            "clip gradients by norm before the step",
            "look for log(0), division by zero or sqrt(0) in the loss, and for NaN in the inputs",
            "with half precision, use a GradScaler or bfloat16",
        ),
        evidence,
        stream,
    )
