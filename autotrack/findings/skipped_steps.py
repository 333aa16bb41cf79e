"""Steps that the gradient scaler skipped because gradients overflowed.

A GradScaler begins with a scale of 65536 and halves it at each overflow, so that a dozen skipped
steps at the start are its way of finding the scale, and about one in 2000 later (its
`growth_interval`): the defaults of `torch.amp.GradScaler`. The shares were chosen beyond that: so
many in all, or a few after the first quarter of the run, when the scale is found.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from autotrack.findings._finding import Evidence, Finding

if TYPE_CHECKING:
    from collections.abc import Iterator

    from autotrack.history import History

EXPLAINS = ("not-learning", "plateau")

FEWEST = 20
FEWEST_LATER = 5
SHARE = 0.05
MOST = 0.5


def find(history: History) -> Iterator[Finding]:
    """Find a run in which a good part of the steps was skipped."""
    counts = history.coverage.get("counts", {})
    skipped, steps = int(counts.get("skipped", 0)), int(counts.get("steps", 0))
    tried = skipped + steps
    enough = skipped >= FEWEST or _later(history, steps) >= FEWEST_LATER
    if not enough or skipped < SHARE * tried:
        return
    share = skipped / tried
    yield Finding(
        "skipped-steps",
        "problem" if share >= MOST else "warning",
        f"{100 * share:.0f} % of the steps were skipped",
        "The gradient scaler found infinite or NaN gradients and left these steps out: gradients "
        "overflow half precision at any scale, or are NaN by themselves.",
        (
            "run a few steps without autocast: are gradients finite in single precision?",
            "use bfloat16 where the hardware has it; it needs no scaler",
            "lower the learning rate, and keep losses and softmax in single precision",
        ),
        (
            Evidence(
                "autotrack/coverage", f"{skipped:,} of {tried:,} steps were skipped", value=share
            ),
        ),
    )


def _later(history: History, steps: int) -> int:
    """How many were skipped after the first quarter of the run."""
    return sum(int((completed > steps / 4).sum()) for completed in history.skipped.values())
