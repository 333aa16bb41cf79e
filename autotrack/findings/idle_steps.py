"""Losses go backward, and nothing comes of it: no step follows, or steps follow no gradient.

Decided by counts and by zeros at every look: there is no threshold.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from autotrack.findings._finding import Evidence, Finding
from autotrack.findings._record import by_stream

if TYPE_CHECKING:
    from collections.abc import Iterator

    from autotrack.history import History

EXPLAINS = ("frozen-parameters", "learning-rate-zero", "unheld-parameters")

# A run that was stopped in its first steps says nothing.
FEWEST = 10


def find(history: History) -> Iterator[Finding]:
    """Find a run whose backward passes never reach a step."""
    counts = history.coverage.get("counts", {})
    backwards, steps = int(counts.get("backwards", 0)), int(counts.get("steps", 0))
    # A loss whose gradients are gone before the step belongs to no step, and is in no series.
    if backwards < FEWEST or counts.get("skipped") or any(by_stream(history, "Loss/train")):
        return
    if not steps:
        yield _finding(
            "The optimizer never steps",
            f"{backwards:,} backward passes, and no step of an optimizer",
            "Gradients are computed and nobody uses them: the weights stay as they are.",
            "call optimizer.step() after each backward",
        )
    elif steps >= FEWEST and not _any_gradient(history):
        yield _finding(
            "Gradients are cleared before each step",
            f"{backwards:,} backward passes and {steps:,} steps, and no step found a gradient",
            "Between backward and step the gradients are set to zero or None, so that steps "
            "change nothing, or no more than weight decay and momentum do.",
            "keep the order zero_grad(), backward(), step()",
        )


def _any_gradient(history: History) -> bool:
    return any((series.value != 0).any() for _, series in by_stream(history, "GradNorm/total"))


def _finding(title: str, text: str, meaning: str, advice: str) -> Finding:
    evidence = (Evidence("autotrack/coverage", text),)
    return Finding("idle-steps", "problem", title, meaning, (advice,), evidence)
