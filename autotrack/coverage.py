"""What was hooked and did it fire: never silently nothing."""

from __future__ import annotations

import json
from dataclasses import asdict, dataclass, field
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from collections.abc import Mapping

    from autotrack.capture.capture import Capture
    from autotrack.metrics import Surroundings
    from autotrack.records import Record


@dataclass(slots=True)
class Line:
    """One thing autotrack looks for: how often it was seen, how, since when, or why it was not."""

    what: str
    seen: int
    how: str = ""
    missing: str = ""
    since: int | None = None

    @property
    def says(self) -> str:
        """The way it was seen, or why not and what to do."""
        if not self.seen:
            return self.missing
        return f"{self.how}, since step {self.since}" if self.since else self.how


@dataclass(slots=True)
class Tally:
    """How often the tags of one family were recorded, and the step of the first."""

    count: int = 0
    first: int | None = None


class Tallies:
    """Counts what goes into the record, by tag; histograms and the like by family."""

    def __init__(self) -> None:
        self._by_tag: dict[str, Tally] = {}

    def add(self, records: list[Record]) -> None:
        """Count the values of some records."""
        for record in records:
            step = _step_of(record)
            families = {tag.partition("/")[0] for tag, _ in record.histograms}
            for tag in (*(tag for tag, _ in record.scalars), *families):
                tally = self._by_tag.get(tag)
                if tally is None:
                    tally = self._by_tag[tag] = Tally(first=step)
                tally.count += 1

    def of(self, *prefixes: str) -> Tally:
        """Return the tally of all tags that are one of `prefixes` or lie below one."""
        found = [
            tally
            for tag, tally in self._by_tag.items()
            if any(tag == p or tag.startswith(f"{p}/") for p in prefixes)
        ]
        return Tally(
            max((t.count for t in found), default=0),
            min((t.first for t in found if t.first is not None), default=None),
        )


def _step_of(record: Record) -> int:
    """Return the completed steps that an epoch's event carries, else its x, which is a step."""
    for tag, value in record.hidden:
        if tag.startswith("autotrack/step") and not isinstance(value, (str, list)):
            return int(value.reshape(-1)[0])
    return record.x


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
    capture: Capture,
    surroundings: Surroundings,
    tallies: Tallies,
    failed: Mapping[str, str],
    missing: list[str],
) -> Coverage:
    """Return the coverage of a run as it stands."""
    coverage = Coverage(failed=dict(failed), nonfinite=dict(surroundings.nonfinite))
    coverage.lines = [
        *_training_lines(capture, surroundings, tallies),
        *_evaluation_lines(capture, tallies),
        *_value_lines(capture, surroundings, tallies),
    ]
    coverage.notes = [
        *_notes(capture),
        *(f"this PyTorch has no {m}; it is not watched" for m in missing),
    ]
    return coverage


def _training_lines(capture: Capture, surroundings: Surroundings, tallies: Tallies) -> list[Line]:
    training = capture.training
    seen = training.seen
    steps = sum(stream.steps for stream in training.streams)
    epochs = max((stream.epochs for stream in training.streams), default=0)
    losses = tallies.of("Loss/train")
    no_backward = (
        "no backward ran inside the run: the training may happen in a child process or another "
        "thread, or by torch.autograd.grad; open the run around it there"
    )
    return [
        Line("backward", seen.backwards, "calls of backward", no_backward),
        Line("steps", steps, _how_steps(training), _why_no_steps(seen.backwards)),
        Line("loss", losses.count, _how_loss(seen), _why_no_loss(seen), losses.first),
        _score_line(training, surroundings, tallies),
        Line("epochs", epochs, _how_epochs(training), _WHY_NO_EPOCHS),
    ]


_WHY_NO_EPOCHS = (
    "no loop variable or range around the step is called an epoch, and no loader was passed over; "
    "everything is by step. epoch='name' says which variable counts"
)


def _how_steps(training: Any) -> str:
    stepped = [s.name for s in training.streams if s.steps and s.optimizer is not None]
    ways = ["steps of " + ", ".join(stepped)] if stepped else []
    if training.without_optimizer:
        ways.append("every backward to weights that no optimizer holds")
    return "; ".join(ways)


def _why_no_steps(backwards: int) -> str:
    if backwards:
        return "backward ran, but no optimizer that holds those weights stepped inside the run"
    return "no optimizer stepped inside the run"


def _how_loss(seen: Any) -> str:
    functions = ", ".join(sorted(seen.functions))
    return f"the value of backward, fed by {functions}" if functions else "the value of backward"


def _why_no_loss(seen: Any) -> str:
    if not seen.backwards:
        return "no backward ran inside the run"
    return "backward was not called on one number; log(...) records what is known in the loop"


def _score_line(training: Any, surroundings: Surroundings, tallies: Tallies) -> Line:
    """Accuracy, or for regression R2 and MAE."""
    fits = tallies.of("MAE/train")
    if fits.count:
        how = "predictions and targets of the criterion, which fits numbers"
        return Line("R2 and MAE", fits.count, how, since=fits.first)
    accuracy = tallies.of("Accuracy/train")
    how = "predictions and targets of the criterion"
    why = surroundings.absent.get("Accuracy/train") or _why_no_accuracy(training.seen.functions)
    return Line("accuracy", accuracy.count, how, why, accuracy.first)


def _why_no_accuracy(functions: set[str]) -> str:
    if not functions:
        return (
            "no loss of torch.nn and no criterion module fed a backward, so nothing shows "
            "predictions and targets; log(...) records it"
        )
    return f"{', '.join(sorted(functions))} compares no scores with classes; log(...) records it"


def _how_epochs(training: Any) -> str:
    loop = training.epoch_loop
    if training.epoch_is_stated:
        return "as stated by epoch=..."
    if loop is None:
        return "passes over the training loader"
    return f"the loop variable {loop.epoch_variable}"


def _evaluation_lines(capture: Capture, tallies: Tallies) -> list[Line]:
    lines = []
    for phase, passes in sorted(capture.evaluation.coverage.passes.items()):
        names = [
            name for name in ("Loss", "Accuracy", "R2", "MAE") if _recorded(tallies, name, phase)
        ]
        first = tallies.of(*(f"{name}/{phase}" for name in names)).first
        how = f"{', '.join(names)}: passes without backward" if names else _WHY_EMPTY
        lines.append(Line(f"evaluation {phase}", passes, how, since=first))
    if not lines:
        lines.append(Line("evaluation", 0, missing=_WHY_NO_EVALUATION))
    return lines


def _recorded(tallies: Tallies, name: str, phase: str) -> bool:
    tags = (f"{name}/{phase}", f"{name}/{phase}_initial")
    return tallies.of(*tags).count > 0


_WHY_EMPTY = "passes without a loss or labels to see; criterion=... says how they are scored"
_WHY_NO_EVALUATION = (
    "no criterion was called without a backward; a loss that is a plain function can be named by "
    "criterion=..."
)


def _value_lines(capture: Capture, surroundings: Surroundings, tallies: Tallies) -> list[Line]:
    by_hand = capture.training.without_optimizer
    no_rate = "no optimizer" if by_hand else "no step, or the optimizer's groups have no lr"
    no_clip = "gradients were not clipped"
    if by_hand:
        no_clip += ", or after the backward, which is where a step without an optimizer ends"
    lines = []
    for what, tags, how, missing in (
        ("learning rate", ("LearningRate",), "the optimizer's groups at each step", no_rate),
        (
            "gradient norm",
            ("GradNorm/total",),
            "all gradients before clipping",
            "no gradients at a step",
        ),
        (
            "clipped norm",
            ("GradNorm/clipped",),
            "gradients after clipping",
            no_clip,
        ),
        (
            "histograms",
            ("Weights",),
            "weights and gradients at snapshots",
            "switched off, or no step",
        ),
        (
            "update ratio",
            ("UpdateRatio",),
            "weights around a step, at snapshots",
            "no snapshot step",
        ),
    ):
        tally = tallies.of(*tags)
        why = surroundings.absent.get(tags[0], missing)
        lines.append(Line(what, tally.count, how, why, tally.first))
    return lines


def _notes(capture: Capture) -> list[str]:
    training, evaluation = capture.training, capture.evaluation
    notes = []
    if skipped := training.seen.skipped:
        notes.append(f"{skipped} steps were skipped by the gradient scaler and are not counted")
    if monitored := evaluation.coverage.monitored:
        notes.append(f"{monitored} losses of the training batch itself are no evaluation")
    notes += [f"the training pass of {name} was cut short" for name in training.seen.cut_short]
    notes += [f"the evaluation {phase} was cut short" for phase in evaluation.coverage.cut_short]
    return notes
