"""Whether each evaluation was seen, and which of its numbers are absent."""

from __future__ import annotations

from typing import TYPE_CHECKING

from autotrack.coverage._lines import Line

if TYPE_CHECKING:
    from autotrack.capture.objective import Objective
    from autotrack.coverage.account import Account

_SCORES = ("Accuracy", "R2", "MAE")


def evaluation_lines(account: Account) -> list[Line]:
    """Return a line for each evaluation, and for each number that it lacks and training has."""
    lines = []
    for phase, passes in sorted(account.evaluation.coverage.passes.items()):
        found = {name: _recorded(account, name, phase) for name in ("Loss", *_SCORES)}
        parts = _parts(account, phase)
        names = [name for name, known in found.items() if known]
        names += [f"Loss/{phase}/{part}" for part in parts if not found["Loss"]]
        tags = [tag for name in names for tag in (f"{name}/{phase}", f"{name}/{phase}_initial")]
        first = account.tallies.of(*tags).first
        how = f"{', '.join(names)}: passes without backward" if names else _WHY_EMPTY
        lines.append(Line(f"evaluation {phase}", passes, how, since=first))
        if not found["Loss"] and (names or not account.off("Loss")):
            lines.append(Line(f"Loss/{phase}", 0, missing=_why_no_total(account, phase, parts)))
        lines += [
            Line(f"{name}/{phase}", 0, missing=_why_no_score(account, name))
            for name in _SCORES
            if not found[name]
            and account.tallies.of_streams(account.training.streams, f"{name}/train").count
        ]
    unused = account.capture.criteria.unused
    if not lines:
        lines.append(Line("evaluation", 0, missing=_why_no_evaluation(account, unused)))
    elif unused:
        lines.append(Line("losses left out", unused, f"{_UNUSED}, and so in no curve"))
    return lines


def _recorded(account: Account, name: str, phase: str) -> bool:
    return account.tallies.of(f"{name}/{phase}", f"{name}/{phase}_initial").count > 0


def _parts(account: Account, phase: str) -> list[str]:
    """Return the criteria whose own means a phase has, without a total."""
    tallies = account.tallies
    parts = [*tallies.below(f"Loss/{phase}"), *tallies.below(f"Loss/{phase}_initial")]
    return list(dict.fromkeys(parts))


_WHY_EMPTY = "passes without a loss or labels to see; criterion=... says how they are scored"


def _why_no_total(account: Account, phase: str, parts: list[str]) -> str:
    if off := account.off("Loss"):
        return off
    if not account.training.seen.backwards:
        return "without a training, nothing says which criterion is the loss"
    objective = account.training.objective
    if not parts and objective.function is None:
        return (
            "the training loss came from no criterion that can be recognised without a graph; "
            f"name it by criterion=..., or log('Loss/{phase}', ...)"
        )
    if not parts:
        return f"its criterion was not called, or gave no mean; log('Loss/{phase}', ...) records it"
    return _why_only_parts(objective, phase, parts)


def _why_only_parts(objective: Objective, phase: str, parts: list[str]) -> str:
    known = ", ".join(parts)
    only = f"only {known} is seen" if len(parts) == 1 else f"only its parts {known} are seen"
    way_out = (
        f"put the whole loss into one function and name it by criterion=..., or log('Loss/{phase}',"
        " ...)"
    )
    if objective.criterion is not None:
        return f"training minimises {objective.criterion}, and {only} here; {way_out}"
    if objective.scaled:
        return (
            f"training multiplies or divides {objective.function}, and it is seen as it is here: "
            f"another number; {way_out}"
        )
    return (
        f"training minimises more than one criterion's value, and {only} here: what is added to it "
        f"by hand leaves no trace without a graph; {way_out}"
    )


def _why_no_score(account: Account, name: str) -> str:
    metric = "Accuracy" if name == "Accuracy" else "Regression"
    return account.off(metric) or (
        "the pass showed no prediction with its target, or several that differ; log(...) records it"
    )


_UNUSED = "computed in train() mode with gradients on, and never given to backward"


def _why_no_evaluation(account: Account, unused: int) -> str:
    if not account.training.seen.backwards:
        return "no criterion was called"
    stated = account.capture.models.stated
    if unused:
        losses = "1 loss was" if unused == 1 else f"{unused:,} losses were"
        return f"{losses} {_UNUSED}: model.eval() or no_grad() makes such a pass an evaluation"
    if stated:
        return f"{', '.join(stated)}, named by criterion=..., was not called without a backward"
    return (
        "no criterion was called without a backward; a loss that is a plain function can be named "
        "by criterion=..."
    )
