"""Accuracy in percent, and which class was taken for which, of a training epoch or a pass."""

from __future__ import annotations

import math
from dataclasses import dataclass, field
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
from autotrack.metrics._confusion import Confusion, Kept, Pairs, pairs_of
from autotrack.metrics._metric import Metric, Surroundings, alone

if TYPE_CHECKING:
    from autotrack.row import Value

_CLASSES = frozenset({"cross_entropy", "nll_loss", "multi_margin_loss"})
# The score from which on a sample counts as positive.
_THRESHOLDS = {
    "binary_cross_entropy": 0.5,
    "binary_cross_entropy_with_logits": 0.0,
    "multilabel_soft_margin_loss": 0.0,
    "soft_margin_loss": 0.0,
}
_KEY = "accuracy"


class Score(NamedTuple):
    """What one criterion call got right, of how many; `varied` unless its targets are all equal.

    `pairs` are its labels and predictions, where they are classes.
    """

    correct: Value
    total: Value
    varied: bool = True
    pairs: Pairs | None = None


@dataclass(slots=True)
class Count:
    """Correct and total so far; `known` is False once a batch could not be counted."""

    correct: Value = 0.0
    total: Value = 0.0
    known: bool = True
    confusion: Confusion = field(default_factory=Confusion)
    # By call site: whether its targets were ever anything but all of one class.
    varied: dict[int, bool] = field(default_factory=dict)

    def add(self, score: Score | None, site: object = None) -> None:
        """Add a batch's correct and total."""
        if score is None:
            self.known = False
            return
        self.correct = self.correct + score.correct
        self.total = self.total + score.total
        self.confusion.add(score.pairs)
        self.varied[id(site)] = self.varied.get(id(site), False) or score.varied

    @property
    def percent(self) -> Value | None:
        """100 * correct / total, or None where it is not known."""
        if not self.known or not self.varied:
            return None
        if isinstance(self.total, float) and not self.total:
            return None
        return 100.0 * self.correct / self.total


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
        self._outputs: dict[Any, Count] = {}
        self._trains_classes = False
        self._kept = Kept()

    def criterion_seen(self, moment: CriterionSeen) -> None:
        """Count a criterion call at once, so that no tensor has to be kept."""
        event, call = moment.event, moment.call
        if event.function in _CLASSES:
            call.scores[_KEY] = _count_classes(
                event.prediction, event.target, event.ignore_index, call.value
            )
        elif event.function in _THRESHOLDS:
            call.scores[_KEY] = _count_binary(
                event.prediction, event.target, _THRESHOLDS[event.function], call.value
            )

    def batch_seen(self, moment: TrainBatchSeen) -> None:
        """Add a training batch; two different targets in one loss (mixup) make it unknown."""
        counted = [part for part in moment.batch.parts if _KEY in part.scores]
        if not counted:
            return
        running = self._running.setdefault(moment.stream, Count())
        for part in _one_place(counted):
            self._trains_classes = self._trains_classes or part.function in _CLASSES
            running.add(part.scores[_KEY], part.site)
        if not _one_place(counted):
            running.known = False
            self.surroundings.absent["Accuracy/train"] = (
                "one prediction is compared with two targets"
            )

    def step_taken(self, moment: StepTaken) -> None:
        """Two classifications that add up to one objective leave open which one counts."""
        scored = [
            group
            for group in moment.groups
            if any(_KEY in p.scores for b in group for p in b.parts)
        ]
        if len(scored) > 1:
            self._running.setdefault(moment.stream, Count()).known = False
            self.surroundings.absent["Accuracy/train"] = (
                "several classifications add up to one loss"
            )

    def train_pass_ended(self, moment: TrainPassEnded) -> None:
        """Add the accuracy of the pass as the model saw it."""
        count = self._running.pop(moment.stream, None)
        # Labels that are all equal at a call (a GAN's ones and zeros) make no classification.
        if count is not None and all(count.varied.values()):
            self._write(moment.row, "Accuracy/train", count)
        elif count is not None:
            self.surroundings.absent["Accuracy/train"] = "all targets of a call are of one class"

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
        self._outputs.setdefault(moment.evaluation, Count()).add(
            _count_outputs(moment.output, moment.batch)
        )

    def evaluation_pass_ended(self, moment: EvaluationPassEnded) -> None:
        """Add the accuracy of the pass."""
        calls = self._evaluations.pop(moment.evaluation, {})
        count = self._outputs.pop(moment.evaluation, None)
        if calls:
            count = alone(calls, moment.objective)
        elif not self._trains_classes:
            return
        self._write(moment.row, f"Accuracy/{moment.phase}{moment.suffix}", count)

    def pass_discarded(self, moment: PassDiscarded) -> None:
        """Forget a pass that was none."""
        self._evaluations.pop(moment.evaluation, None)
        self._outputs.pop(moment.evaluation, None)

    def _write(self, row: Any, tag: str, count: Count | None) -> None:
        if count is not None and (percent := count.percent) is not None:
            row.add(tag, percent)
            self._kept.write(row, tag.partition("/")[2], count.confusion)


def _one_place(parts: list[CriterionCall]) -> list[CriterionCall]:
    """Return the calls to count: all at one place, or one of several on the same data."""
    if len({id(part.site) for part in parts}) == 1:
        # One line that mixes two targets over one prediction is no classification either.
        mixed = len(parts) > 1 and len({p.prediction_key for p in parts}) < len(
            {p.target_key for p in parts}
        )
        return [] if mixed else parts
    same = len({(part.prediction_key, part.target_key) for part in parts}) == 1
    return parts[:1] if same else []


def _count_classes(prediction: Any, target: Any, ignored: int | None, loss: Any) -> Score | None:
    """Return correct and total over the class dimension; None where the target is no class index.

    prediction (N, C, ...) or (C), target (N, ...) or () of integers.
    """
    if not isinstance(target, torch.Tensor) or target.is_floating_point() or target.is_complex():
        return None
    prediction = prediction.detach()
    dimension = 1 if prediction.dim() > 1 else 0
    expected = prediction.shape[:dimension] + prediction.shape[dimension + 1 :]
    if expected != target.shape:
        return None
    predicted, unscored = prediction.argmax(dimension), None
    correct = predicted == target
    valid = None if ignored is None else target != ignored
    if not (isinstance(loss, float) and math.isfinite(loss)):
        # A sample with a NaN score is wrong; a finite loss says that there is none.
        unscored = prediction.isnan().any(dimension)
        correct &= ~unscored
        unscored = unscored if valid is None else unscored & valid
    classes = prediction.shape[dimension]
    pairs = pairs_of(target, predicted, classes, ignored=ignored, unscored=unscored)
    if valid is None:
        return Score(_number(correct), float(target.numel()), pairs=pairs)
    return Score(_number(correct & valid), _number(valid), pairs=pairs)


def _count_binary(prediction: Any, target: Any, threshold: float, loss: Any) -> Score | None:
    """Return correct and total per element; None where the targets are not all of two values."""
    if not isinstance(target, torch.Tensor) or target.shape != prediction.shape:
        return None
    prediction, target = prediction.detach(), target.detach()
    if not _is_true(((target == 0) | (target == 1)).all()):
        if threshold or not _is_true((target.abs() == 1).all()):
            return None
        target = target > 0
    positive, predicted, unscored = target > 0, prediction > threshold, None
    correct = predicted == positive
    if not (isinstance(loss, float) and math.isfinite(loss)):
        unscored = prediction.isnan()
        correct &= ~unscored
    share = _number(positive)
    varied = not isinstance(share, float) or 0 < share < target.numel()
    # One number a sample is a choice between two classes; several are labels of their own.
    single = target.numel() == len(target) if target.dim() else True
    pairs = pairs_of(positive.long(), predicted.long(), 2, unscored=unscored) if single else None
    return Score(_number(correct), float(target.numel()), varied, pairs)


def _count_outputs(output: Any, batch: Any) -> Score | None:
    """Return correct and total of class scores (N, C) against a batch's N labels."""
    while isinstance(output, (tuple, list)) and output:
        output = output[0]
    if not isinstance(output, torch.Tensor) or not _are_class_scores(output):
        return None
    if isinstance(batch, dict):
        batch = list(batch.values())
    labels = (
        [t for t in batch if _are_labels(t, len(output))]
        if isinstance(batch, (tuple, list))
        else []
    )
    if len(labels) != 1 or not _are_classes(labels[0], output.shape[1]):
        return None
    return _count_classes(output, labels[0].to(output.device, non_blocking=True), None, None)


def _are_class_scores(output: torch.Tensor) -> bool:
    return output.dim() == 2 and output.shape[1] > 1  # noqa: PLR2004 - (N, C)


def _are_labels(tensor: Any, samples: int) -> bool:
    return (
        isinstance(tensor, torch.Tensor)
        and tensor.dtype == torch.int64
        and tensor.shape == (samples,)
    )


def _are_classes(labels: torch.Tensor, classes: int) -> bool:
    # Row numbers for a submission look like labels, until one is too large.
    return labels.device.type == "cpu" and bool(((labels >= 0) & (labels < classes)).all())


def _number(flags: torch.Tensor) -> Value:
    total = flags.sum()
    return float(total.item()) if total.device.type == "cpu" else total


def _is_true(flag: torch.Tensor) -> bool:
    # Off the CPU asking would wait for the device: there only what is certain counts.
    return flag.device.type == "cpu" and bool(flag.item())
