"""What was hooked and did it fire: never silently nothing."""

from __future__ import annotations

from typing import TYPE_CHECKING

from autotrack.coverage._lines import Coverage, Line
from autotrack.coverage.account import Account
from autotrack.coverage.evaluation import evaluation_lines
from autotrack.coverage.tabs import tab_lines
from autotrack.coverage.training import training_lines
from autotrack.coverage.values import value_lines

if TYPE_CHECKING:
    from collections.abc import Iterable

__all__ = ["Account", "Coverage", "Line", "describe"]


def describe(account: Account, missing: Iterable[str]) -> Coverage:
    """Return the coverage of a run as it stands; `missing` are surfaces this PyTorch lacks."""
    return Coverage(
        [
            *training_lines(account),
            *evaluation_lines(account),
            *value_lines(account),
            *tab_lines(account),
        ],
        dict(account.failed),
        dict(account.surroundings.nonfinite),
        [*_notes(account), *(f"this PyTorch has no {m}; it is not watched" for m in missing)],
        _counts(account),
        {phase: list(counts) for phase, counts in account.surroundings.modes.items()},
        sorted(account.training.seen.functions),
        account.training.seen.composed,
    )


def _counts(account: Account) -> dict[str, int]:
    seen = account.training.seen
    steps = sum(stream.steps for stream in account.training.streams) - account.missed
    skipped = seen.skipped + account.missed
    return {"backwards": seen.backwards, "steps": steps, "skipped": skipped}


def _notes(account: Account) -> list[str]:
    seen, noticed = account.training.seen, account.evaluation.coverage
    notes = []
    if seen.skipped:
        notes.append(
            f"{seen.skipped} steps were skipped by the gradient scaler and are not counted"
        )
    if seen.cleared:
        notes.append(
            f"gradients were cleared between backward and step at {seen.cleared} steps, which "
            "changed nothing by them and have no loss; call zero_grad before backward, "
            "or after step"
        )
    if seen.clipped_early:
        notes.append(
            f"at {seen.clipped_early} steps gradients were clipped before the last backward, which "
            "added to them as they were; clip between backward and step"
        )
    if noticed.monitored:
        notes.append(f"{noticed.monitored} losses of the training batch itself are no evaluation")
    if seen.backwards and account.elsewhere.threads:
        notes.append(
            "another thread used PyTorch inside this run at the same time and is no part of it; "
            "a training there needs a run of its own"
        )
    notes += [f"the training pass of {name} was cut short" for name in seen.cut_short]
    notes += [f"the evaluation {phase} was cut short" for phase in noticed.cut_short]
    return notes
