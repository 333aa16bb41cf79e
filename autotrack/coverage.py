"""What was hooked and did it fire: never silently nothing."""

from __future__ import annotations

import json
from dataclasses import asdict, dataclass, field
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from collections.abc import Mapping

    from autotrack.capture.capture import Capture
    from autotrack.metrics import Surroundings


@dataclass(slots=True)
class Line:
    """One thing autotrack looks for: how often it was seen and how, or why it was not."""

    what: str
    seen: int
    how: str = ""
    missing: str = ""

    @property
    def says(self) -> str:
        """The way it was seen, or why not."""
        return self.how if self.seen else self.missing


@dataclass(slots=True)
class Coverage:
    """All lines, what failed inside autotrack, and the first non-finite values."""

    lines: list[Line] = field(default_factory=list)
    failed: dict[str, str] = field(default_factory=dict)
    nonfinite: dict[str, dict[str, Any]] = field(default_factory=dict)
    notes: list[str] = field(default_factory=list)

    def json(self) -> str:
        """Return everything as JSON text."""
        return json.dumps(asdict(self), default=str)

    def markdown(self) -> str:
        """Return the table as Markdown, for TensorBoard's text tab."""
        rows = ["| | seen | how, or why not |", "| --- | --- | --- |"]
        rows += [f"| {line.what} | {line.seen or 'no'} | {line.says} |" for line in self.lines]
        rows += ["", *(f"- {note}" for note in self._remarks())]
        return "\n".join(rows)

    def __str__(self) -> str:
        width = max((len(line.what) for line in self.lines), default=0)
        rows = [
            f"  {line.what:<{width}}  {line.seen or 'not seen':>8}  {line.says}"
            for line in self.lines
        ]
        return "\n".join([*rows, *(f"  {note}" for note in self._remarks())])

    def _remarks(self) -> list[str]:
        remarks = list(self.notes)
        for tag, where in self.nonfinite.items():
            named = f", first in {where['parameter']}" if "parameter" in where else ""
            remarks.append(f"{tag} became non-finite at step {where['step']}{named}")
        remarks += [
            f"{part} failed and was switched off: {why}" for part, why in self.failed.items()
        ]
        return remarks


def describe(
    capture: Capture, surroundings: Surroundings, failed: Mapping[str, str], missing: list[str]
) -> Coverage:
    """Return the coverage of a run as it stands."""
    training, evaluation = capture.training, capture.evaluation
    steps = sum(stream.steps for stream in training.streams)
    seen = training.seen
    coverage = Coverage(failed=dict(failed), nonfinite=dict(surroundings.nonfinite))
    coverage.lines = [
        Line(
            "backward", seen.backwards, "torch.autograd.backward", "no backward ran inside the run"
        ),
        Line("steps", steps, _how_steps(training), "no optimizer stepped inside the run"),
        Line(
            "loss",
            seen.losses,
            "the value backward was called on",
            "backward was not called on one number",
        ),
        Line(
            "criterion",
            seen.criteria,
            ", ".join(sorted(seen.functions)),
            "no loss of torch.nn fed a backward; pass criterion=...",
        ),
        Line(
            "epochs",
            seen.epochs,
            _how_epochs(training),
            "no loop variable called an epoch, and no loader was passed over twice",
        ),
    ]
    for phase, count in sorted(evaluation.coverage.passes.items()):
        coverage.lines.append(
            Line(f"evaluation {phase}", count, "criterion calls and model outputs without backward")
        )
    if not evaluation.coverage.passes:
        coverage.lines.append(
            Line("evaluation", 0, missing="no loss was computed without a backward")
        )
    coverage.notes += [f"{tag} is absent: {why}" for tag, why in surroundings.absent.items()]
    if training.seen.skipped:
        coverage.notes.append(
            f"{training.seen.skipped} steps were skipped by the gradient scaler and are not counted"
        )
    if evaluation.coverage.monitored:
        coverage.notes.append(
            f"{evaluation.coverage.monitored} losses of the training batch itself are no evaluation"
        )
    coverage.notes += [
        f"the evaluation {phase} was cut short by an exception"
        for phase in evaluation.coverage.cut_short
    ]
    coverage.notes += [f"this PyTorch has no {name}; it is not watched" for name in missing]
    return coverage


def _how_steps(training: Any) -> str:
    if training.without_optimizer:
        return "every backward, because no optimizer exists"
    return "optimizer.step of " + ", ".join(s.name for s in training.streams if s.steps)


def _how_epochs(training: Any) -> str:
    loop = training.epoch_loop
    return (
        f"the loop variable {loop.epoch_variable}"
        if loop is not None
        else "restarts of the training loader"
    )
