"""Accuracy in percent, and which class was taken for which, of a training epoch or a pass."""

from __future__ import annotations

import math
from dataclasses import dataclass, field
from functools import partial
from typing import TYPE_CHECKING, Any, ClassVar, NamedTuple

import torch

from autotrack.events import (
    CriterionCall,
    CriterionSeen,
    EvaluationBatchSeen,
    EvaluationPassEnded,
    OutputSeen,
    PassDiscarded,
    StepTaken,
    TrainBatchSeen,
    TrainPassEnded,
)
from autotrack.metrics._calls import Calls, keeper_of, one_place
from autotrack.metrics._confusion import Confusion, Kept
from autotrack.metrics._counting import (
    Counter,
    Found,
    FoundPositive,
    Score,
    classes_in,
    has_several,
    largest,
    scores_in,
)
from autotrack.metrics._metric import Metric, Surroundings, alone
from autotrack.metrics._ring import Rings
from autotrack.pending import Derived, Listed, Total, is_known, when_known
from autotrack.row import Row

if TYPE_CHECKING:
    from collections.abc import Iterable

    from autotrack.block import Block, Column
    from autotrack.events import LossComputed
    from autotrack.keeper import Keeper
    from autotrack.row import Value

    #: What a call comes to, counted or still to be counted; None where that cannot be known.
    Looked = Score | Found | FoundPositive | None

_CLASSES = frozenset({"cross_entropy", "nll_loss", "multi_margin_loss"})
# The score from which on a sample counts as positive.
_THRESHOLDS = {
    "binary_cross_entropy": 0.5,
    "binary_cross_entropy_with_logits": 0.0,
    "multilabel_soft_margin_loss": 0.0,
    "soft_margin_loss": 0.0,
}
_KEY = "accuracy"
_TRAINING = "Accuracy/train"
_MATRIX = 2
# What calls found is counted when it is of so many of them, or of so many samples.
_MOST_FOUND, _MOST_SAMPLES = 64, 4096


@dataclass(slots=True, eq=False, repr=False)
class Count:
    """Correct and total so far; `known` is False once a batch could not be counted."""

    correct: Total[float] = field(default_factory=partial(Total, 0.0))
    total: Total[float] = field(default_factory=partial(Total, 0.0))
    known: bool = True
    confusion: Confusion = field(default_factory=Confusion)
    # By call site: how many batches had targets that were not all of one class.
    varied: dict[int, Total[float]] = field(default_factory=dict)
    # What calls found and is to be counted, with their sites.
    _found: list[tuple[Found | FoundPositive, object]] = field(default_factory=list)
    _samples: int = 0

    def add(self, score: Looked, site: object = None) -> None:
        """Add a batch's correct and total, or what it found, to be counted with others."""
        if isinstance(score, (Found, FoundPositive)):
            self._wait(score, site)
        elif score is None:
            self.known = False
        else:
            self._take(score, [(site, score.varied)])

    def _wait(self, found: Found | FoundPositive, site: object) -> None:
        waiting = self._found
        if waiting and waiting[-1][0].kind != found.kind:
            self.count()
        waiting.append((found, site))
        self._samples += found.labels.size
        if len(waiting) >= _MOST_FOUND or self._samples >= _MOST_SAMPLES:
            self.count()

    def count(self) -> None:
        """Count what was found."""
        if not self._found:
            return
        found, sites = zip(*self._found, strict=True)
        self._found.clear()
        self._samples = 0
        score, varied = found[0].together(found)
        if score is None:
            self.known = False
        else:
            self._take(score, zip(sites, varied, strict=True))

    def _take(self, score: Score, varied: Iterable[tuple[object, Value]]) -> None:
        self.correct.add(score.correct)
        self.total.add(score.total)
        self.confusion.add(score.pairs)
        for site, differs in varied:
            known = self.varied.get(id(site))
            if known is None:
                known = self.varied[id(site)] = Total(0.0)
            known.add(differs)


class Accuracy(Metric):
    """`Accuracy/train` and `Accuracy/<phase>`; absent wherever a target is not a plain class.

    Hidden beside them stand the confusion matrices of the same samples.
    """

    listens: ClassVar[dict[type, str]] = {
        CriterionSeen: "criterion_seen",
        TrainBatchSeen: "batch_seen",
        StepTaken: "step_taken",
        TrainPassEnded: "train_pass_ended",
        EvaluationBatchSeen: "evaluation_batch_seen",
        OutputSeen: "output_seen",
        EvaluationPassEnded: "evaluation_pass_ended",
        PassDiscarded: "pass_discarded",
    }

    def __init__(self, surroundings: Surroundings) -> None:
        super().__init__(surroundings)
        self._running: dict[Any, Count] = {}
        self._evaluations: dict[Any, dict[tuple[str, int], Count]] = {}
        # By pass without a criterion: what was counted, and how many classes its scores had.
        self._outputs: dict[Any, tuple[Count, set[int]]] = {}
        self._trains_classes = False
        # Whether training compares several predictions in one loss.
        self._several = False
        # How many classes there are in what feeds losses: scores of others are something else.
        self._classes: set[int] = set()
        self._kept = Kept()
        self.counter = Counter(surroundings.transfer, surroundings.nonfinite)
        self.rings = Rings()

    def settle(self, pattern: Any) -> Keeper | None:
        """Count calls of one shape together; where there is nothing to count, count nothing."""
        return keeper_of(_KEY, pattern, _counted, self.running, partial(_Counts, self, pattern))

    def running(self, stream: Any) -> Count:
        """Return what the stream's running pass counts."""
        return self._running.setdefault(stream, Count())

    def score(self, event: Any, loss: Value | None) -> Score | None:
        """Return what a criterion call got right; None where that cannot be known."""
        if event.function in _CLASSES:
            return self.counter.classes(event.prediction, event.target, event.ignore_index, loss)
        threshold = _THRESHOLDS[event.function]
        return self.counter.binary(event.prediction, event.target, threshold, loss)

    def criterion_seen(self, moment: CriterionSeen) -> None:
        """Look at a criterion call at once, so that no tensor has to be kept."""
        event, call = moment.event, moment.call
        if event.function not in _CLASSES and event.function not in _THRESHOLDS:
            return
        if event.function in _CLASSES and event.loss.requires_grad:
            self._classes.add(classes_in(event.prediction))
        # Whether there is a count is what a criterion around this one asks at once.
        look = self.score if moment.inside else self.look
        call.scores[_KEY] = look(event, call.value)

    def look(self, event: Any, loss: Value | None) -> Looked:
        """Return the same as `score`, or what a small call on the CPU finds, to be counted."""
        return self._found(event, loss) or self.score(event, loss)

    def _found(self, event: Any, loss: Value | None) -> Found | FoundPositive | None:
        scores, labels = event.prediction, event.target
        if event.function in _CLASSES:
            return self.counter.found(scores, labels, event.ignore_index, loss)
        threshold = _THRESHOLDS[event.function]
        return self.counter.found_positive(scores, labels, threshold, loss)

    def batch_seen(self, moment: TrainBatchSeen) -> None:
        """Add a training batch; two different targets in one loss (mixup) make it unknown."""
        counted = [part for part in moment.batch.parts if _KEY in part.scores]
        if not counted:
            return
        running = self.running(moment.stream)
        shown = _counted(counted)
        if not self._trains_classes:
            # A criterion of one's own has the count of what it calls.
            self._trains_classes = any(part.function in _CLASSES or part.own for part in counted)
        for part in shown:
            running.add(part.scores[_KEY], part.site)
        if not shown:
            self._several = True
            running.known = False
            self.surroundings.absent["Accuracy/train"] = (
                "one loss compares several predictions or targets, and which of them count only "
                "you know; log(...) records it"
            )

    def step_taken(self, moment: StepTaken) -> None:
        """Two classifications that add up to one objective leave open which one counts."""
        if len(moment.groups) < 2:  # noqa: PLR2004 - two
            return
        scored = [
            group
            for group in moment.groups
            if any(_KEY in p.scores for b in group for p in b.parts)
        ]
        if len(scored) > 1:
            self.running(moment.stream).known = False
            self.surroundings.absent["Accuracy/train"] = (
                "several classifications add up to one loss"
            )

    def train_pass_ended(self, moment: TrainPassEnded) -> None:
        """Add the accuracy of the pass as the model saw it."""
        count = self._running.pop(moment.stream, None)
        if count is not None:
            self.write_training(moment.row, count)

    def write_training(self, row: Any, count: Count) -> None:
        """Add what a training pass counted."""
        count.count()
        # Labels that are all equal at a call (a GAN's ones and zeros) make no classification.
        varied = [total.value for total in count.varied.values()]
        self._write(row, _TRAINING, count, varied)

    def evaluation_batch_seen(self, moment: EvaluationBatchSeen) -> None:
        """Add an evaluation batch."""
        call: CriterionCall = moment.call
        if _KEY not in call.scores:
            return
        calls = self._evaluations.setdefault(moment.evaluation, {})
        key = (call.function, id(call.site))
        if key not in calls:
            calls[key] = Count()
        calls[key].add(call.scores[_KEY], call.site)

    def output_seen(self, moment: OutputSeen) -> None:
        """Count a batch whose criterion was not called: outputs against the loader's labels."""
        count, classes = self._outputs.setdefault(moment.evaluation, (Count(), set()))
        if self._several and has_several(moment.output):
            # Which of them answers, nothing has said in training either.
            count.known = False
            return
        output = scores_in(moment.output)
        classes.add(classes_in(output))
        count.add(self.counter.outputs(output, moment.batch))

    def evaluation_pass_ended(self, moment: EvaluationPassEnded) -> None:
        """Add the accuracy of the pass."""
        calls = self._evaluations.pop(moment.evaluation, {})
        count, classes = self._outputs.pop(moment.evaluation, (None, set()))
        if calls:
            count = alone(calls, moment.objective)
        elif not self._trains_classes or not classes <= self._classes:
            # What else is as wide as it likes: features that are gathered, say.
            return
        self._write(moment.row, f"Accuracy/{moment.phase}{moment.suffix}", count)

    def pass_discarded(self, moment: PassDiscarded) -> None:
        """Forget a pass that was none."""
        self._evaluations.pop(moment.evaluation, None)
        self._outputs.pop(moment.evaluation, None)

    def _write(self, row: Any, tag: str, count: Count | None, varied: Any = ()) -> None:
        if count is not None:
            count.count()
        if count is None or not count.known or not count.varied:
            return
        percent = when_known(
            partial(self._percent, tag), count.correct.value, count.total.value, *varied
        )
        if percent is not None:
            row.add(tag, percent)
            bring = partial(self._brought, count.correct.value)
            self._kept.write(row, tag.partition("/")[2], count.confusion, bring)

    def _brought(self, correct: Value, counts: torch.Tensor) -> Any:
        """Return a matrix of counts; from a device only where the scores turn out to be numbers."""
        if counts.device.type == "cpu":
            return counts
        return Derived(_matrix, self.surroundings.transfer.numbers(counts), correct)

    def _percent(self, tag: str, correct: float, total: float, *varied: float) -> float | None:
        if not all(varied):
            self.surroundings.absent[tag] = "all targets of a call are of one class"
            return None
        return None if math.isnan(correct) or not total else 100.0 * correct / total


class _Call(NamedTuple):
    """What counting needs of a criterion call, under the event's names."""

    function: str
    ignore_index: int | None
    prediction: Any = None
    target: Any = None


class _Counts(Calls):
    """Class scores of one shape and their targets."""

    key: ClassVar[str] = _KEY

    def __init__(self, metric: Accuracy, pattern: Any, call: int) -> None:
        super().__init__(metric.rings, pattern, call)
        self._metric, self._stream, self._site = metric, pattern.stream, pattern.calls[call].site
        self._counter = metric.counter
        # On the CPU the losses of settled steps are finite, and so are the scores.
        self._loss = None if pattern.on_device else 0.0
        self._event = _Call("", None)
        # How many there are, where it is classes that are kept rather than their scores.
        self._classes = 0

    def prepare(self, event: LossComputed) -> None:
        """Make room for calls like this one, or for the classes that they find."""
        self._event = _Call(event.function, event.ignore_index)
        super().prepare(event)
        if self._ring is None and self._finds_classes(event):
            classes = _classes_in(event.prediction)
            self._ring = self._room(classes, event.target)
            if self._ring is not None:
                self._classes = event.prediction.shape[1]
                self.loss = self._add_classes  # type: ignore[method-assign]

    def _finds_classes(self, event: LossComputed) -> bool:
        """Whether finding the classes of (N, C, ...) scores is all that cannot wait."""
        prediction, target = event.prediction, event.target
        if self._each or self._loss is None or event.function not in _CLASSES:
            return False
        if prediction.dim() < _MATRIX or target.is_floating_point() or target.is_complex():
            return False
        samples = prediction.shape[:1] + prediction.shape[2:]
        return bool(target.shape == samples and target.is_contiguous())

    def _add_classes(self, prediction: Any, target: Any) -> None:
        assert self._ring is not None
        self._ring.add(_classes_in(prediction), target)

    def fits(self, event: LossComputed) -> bool:
        """Whether there is one class for each row of scores."""
        prediction, target = event.prediction, event.target
        table = prediction.dim() == _MATRIX and target.shape == prediction.shape[:1]
        return event.function in _CLASSES and table and not target.is_floating_point()

    def score(self, prediction: Any, target: Any) -> Looked:
        """Return correct and total, or what is to be counted."""
        return self._metric.look(
            self._event._replace(prediction=prediction, target=target), self._loss
        )

    def score_all(self, predictions: torch.Tensor, targets: torch.Tensor) -> Looked:
        """Return correct and total of all."""
        if self._classes:
            found = predictions.flatten(), targets.flatten()
            return self._counter.counted(*found, self._classes, self._event.ignore_index, loss=0.0)
        if self._loss is not None and predictions.dtype is torch.float32:
            return self._counter.found_in_all(predictions, targets, self._event.ignore_index)
        return self.score(predictions.flatten(0, 1), targets.flatten())

    def score_each(self, predictions: torch.Tensor, targets: torch.Tensor) -> list[Any]:
        """Return correct and total of each call."""
        if not targets.is_cpu:
            return super().score_each(predictions, targets)
        return self._counter.tables(predictions, targets, self._event.ignore_index)

    def write(self, passes: Block, scores: list[Looked]) -> None:
        """Add the accuracy of each pass, and beside it the matrix of those that keep theirs."""
        rows = []
        for score in scores:
            rows.append(Row(0, 0.0))
            count = Count()
            count.add(score, self._site)
            self._metric.write_training(rows[-1], count)
        passes.columns += _columns([dict(row.scalars) for row in rows])
        passes.hidden += _columns([dict(row.hidden) for row in rows])

    def add(self, score: Looked) -> None:
        """Count it."""
        self._metric.running(self._stream).add(score, self._site)


def _classes_in(scores: torch.Tensor) -> torch.Tensor:
    return largest(scores.detach(), 1).contiguous()


def _columns(rows: list[dict[str, Any]]) -> list[Column]:
    tags = dict.fromkeys(tag for row in rows for tag in row)
    columns = [(tag, [row.get(tag) for row in rows]) for tag in tags]
    return [
        (tag, column if all(map(is_known, column)) else Listed(column)) for tag, column in columns
    ]


def _matrix(counts: Any, correct: float) -> Any:
    return None if math.isnan(correct) else counts.astype("int64")


def _counted(parts: list[Any]) -> list[Any]:
    """Return the calls to count: none where one line mixes two targets over one prediction."""
    alone = len({id(part.site) for part in parts}) == 1
    mixed = len({p.prediction_key for p in parts}) < len({p.target_key for p in parts})
    return [] if alone and mixed else one_place(parts)
