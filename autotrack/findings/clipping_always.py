"""Clipping that cuts nearly every step: then it sets the step size, and not the learning rate.

Pascanu, Mikolov and Bengio (ICML 2013, section 3.2) found that thresholds from half to ten times
the average norm still converge: a cut to a half is where a note begins. That a cut to a tenth is a
warning was checked on our own benchmark.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np

from autotrack.findings._finding import Evidence, Finding
from autotrack.findings._record import by_stream, say

if TYPE_CHECKING:
    from collections.abc import Iterator

    from autotrack.history import History

FEWEST = 50
# The first steps of a training often need it.
FIRST = 0.2
# Share of the steps that are cut, and how much is cut off a gradient in the middle.
ALWAYS = 0.98
STRONG = 10.0
MILD = 2.0
# Rounding of the norm is no cut.
CUT = 1.01


def find(history: History) -> Iterator[Finding]:
    """Find streams in which clipping shortens nearly every gradient a lot."""
    totals = dict(by_stream(history, "GradNorm/total"))
    for stream, clipped in by_stream(history, "GradNorm/clipped"):
        total = totals.get(stream)
        if total is None:
            continue
        steps, here, there = np.intersect1d(total.step, clipped.step, return_indices=True)
        before = total.value[here].astype(np.float64)
        after = clipped.value[there].astype(np.float64)
        known = np.isfinite(before) & np.isfinite(after) & (after > 0)
        known[: round(FIRST * len(known))] = False
        if known.sum() < FEWEST:
            continue
        factor = before[known] / after[known]
        share, middle = float((factor > CUT).mean()), float(np.median(factor))
        if share < ALWAYS or middle < MILD:
            continue
        text = (
            f"{100 * share:.0f} % of the gradients are cut, in the middle by a factor of "
            f"{say(middle)}: from {say(float(np.median(before[known])))} to "
            f"{say(float(np.median(after[known])))}"
        )
        yield Finding(
            "clipping-always",
            "warning" if middle >= STRONG else "note",
            "Clipping cuts every step",
            "Clipping is there for rare bursts. Where it cuts every step, all steps are equally "
            "long, and the learning rate means something else than it says.",
            (
                "raise the clipping norm to about what the gradients usually are",
                "or see it as a choice (normalised steps), and let the learning rate fall",
            ),
            (Evidence(clipped.tag, text, int(steps[known][0]), int(steps[-1]), None, middle),),
            stream,
        )
