"""Accuracy in percent: correct over total, of a training epoch or an evaluation pass."""

from __future__ import annotations

import math
from dataclasses import dataclass
from typing import Any, ClassVar

import torch

from autotrack.events import (
    CriterionCall,
    CriterionSeen,
    EvaluationBatchSeen,
    EvaluationPassEnded,
    OutputSeen,
    PassDiscarded,
    TrainBatchSeen,
    TrainPassEnded,
)
from autotrack.metrics._metric import Metric, Surroundings
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


@dataclass(slots=True)
class Count:
    """Correct and total so far; `known` is False once a batch could not be counted."""

    correct: Value = 0.0
    total: Value = 0.0
    known: bool = True
    seen: bool = False

    def add(self, score: tuple[Value, Value]) -> None:
        """Add a batch's correct and total."""
        self.correct = self.correct + score[0]
        self.total = self.total + score[1]
        self.seen = True

    @property
    def percent(self) -> Value | None:
        """100 * correct / total, or None where it is not known."""
        if not self.known or not self.seen:
            return None
        if isinstance(self.total, float) and not self.total:
            return None
        return 100.0 * self.correct / self.total


class Accuracy(Metric):
    """`Accuracy/train` and `Accuracy/<phase>`; absent wherever a target is not a plain class."""

    listens: ClassVar[dict[type, str]] = {
        CriterionSeen: "criterion_seen",
        TrainBatchSeen: "batch_seen",
        TrainPassEnded: "train_pass_ended",
        EvaluationBatchSeen: "evaluation_batch_seen",
        OutputSeen: "output_seen",
        EvaluationPassEnded: "evaluation_pass_ended",
        PassDiscarded: "pass_discarded",
    }

    def __init__(self, surroundings: Surroundings) -> None:
        super().__init__(surroundings)
        self._running: dict[Any, Count] = {}
        self._evaluations: dict[Any, dict[int, Count]] = {}
        self._outputs: dict[Any, Count] = {}
        self._trains_classes = False

    def criterion_seen(self, moment: CriterionSeen) -> None:
        """Count a criterion call at once, so that no tensor has to be kept."""
        event, call = moment.event, moment.call
        if event.function in _CLASSES:
            call.scores[_KEY] = _count_classes(event.prediction, event.target, event.ignore_index, call.value)
        elif event.function in _THRESHOLDS:
            call.scores[_KEY] = _count_binary(event.prediction, event.target, _THRESHOLDS[event.function], call.value)

    def batch_seen(self, moment: TrainBatchSeen) -> None:
        """Add a training batch; two different targets of one prediction (mixup) make it unknown."""
        counted = [part for part in moment.batch.parts if _KEY in part.scores]
        if not counted:
            return
        running = self._running.setdefault(moment.stream, Count())
        scores = [part.scores[_KEY] for part in counted]
        if len({id(part.site) for part in counted}) > 1 or any(score is None for score in scores):
            running.known = False
            return
        for part in counted:
            self._trains_classes = self._trains_classes or part.function in _CLASSES
            running.add(part.scores[_KEY])

    def train_pass_ended(self, moment: TrainPassEnded) -> None:
        """Add the accuracy of the pass as the model saw it."""
        self._write(moment.row, "Accuracy/train", self._running.pop(moment.stream, None))

    def evaluation_batch_seen(self, moment: EvaluationBatchSeen) -> None:
        """Add an evaluation batch."""
        call: CriterionCall = moment.call
        if _KEY not in call.scores:
            return
        counts = self._evaluations.setdefault(moment.evaluation, {})
        count = counts.setdefault(id(call.site), Count())
        if call.scores[_KEY] is None:
            count.known = False
        else:
            count.add(call.scores[_KEY])

    def output_seen(self, moment: OutputSeen) -> None:
        """Count a batch whose criterion was not called: outputs against the loader's labels."""
        score = _count_outputs(moment.output, moment.batch)
        count = self._outputs.setdefault(moment.evaluation, Count())
        if score is None:
            count.known = False
        else:
            count.add(score)

    def evaluation_pass_ended(self, moment: EvaluationPassEnded) -> None:
        """Add the accuracy of the pass."""
        counts = self._evaluations.pop(moment.evaluation, {})
        outputs = self._outputs.pop(moment.evaluation, None)
        if len(counts) == 1:
            outputs = next(iter(counts.values()))
        elif counts or not self._trains_classes:
            return
        self._write(moment.row, f"Accuracy/{moment.phase}{moment.suffix}", outputs)

    def pass_discarded(self, moment: PassDiscarded) -> None:
        """Forget a pass that was none."""
        self._evaluations.pop(moment.evaluation, None)
        self._outputs.pop(moment.evaluation, None)

    @staticmethod
    def _write(row: Any, tag: str, count: Count | None) -> None:
        if count is not None and (percent := count.percent) is not None:
            row.add(tag, percent)


def _count_classes(prediction: Any, target: Any, ignored: int | None, loss: Any) -> tuple[Value, Value] | None:
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
    correct = prediction.argmax(dimension) == target
    if not (isinstance(loss, float) and math.isfinite(loss)):
        # A sample with a NaN score is wrong; a finite loss says that there is none.
        correct &= ~prediction.isnan().any(dimension)
    if ignored is None:
        return _number(correct), float(target.numel())
    valid = target != ignored
    return _number(correct & valid), _number(valid)


def _count_binary(prediction: Any, target: Any, threshold: float, loss: Any) -> tuple[Value, Value] | None:
    """Return correct and total per element; None where the targets are not all of two values."""
    if not isinstance(target, torch.Tensor) or target.shape != prediction.shape:
        return None
    prediction, target = prediction.detach(), target.detach()
    if not _is_true(((target == 0) | (target == 1)).all()):
        if threshold or not _is_true((target.abs() == 1).all()):
            return None
        target = target > 0
    correct = (prediction > threshold) == (target > 0)
    if not (isinstance(loss, float) and math.isfinite(loss)):
        correct &= ~prediction.isnan()
    return _number(correct), float(target.numel())


def _count_outputs(output: Any, batch: Any) -> tuple[Value, Value] | None:
    """Return correct and total of class scores (N, C) against the one tensor of N labels in a batch."""
    while isinstance(output, (tuple, list)) and output:
        output = output[0]
    if not isinstance(output, torch.Tensor) or output.dim() != 2 or output.shape[1] < 2:  # noqa: PLR2004
        return None
    items = batch if isinstance(batch, (tuple, list)) else list(batch.values()) if isinstance(batch, dict) else []
    labels = [
        t
        for t in items
        if isinstance(t, torch.Tensor) and t.dtype == torch.int64 and t.shape == output.shape[:1]
    ]
    if len(labels) != 1:
        return None
    return _count_classes(output, labels[0].to(output.device, non_blocking=True), None, None)


def _number(flags: torch.Tensor) -> Value:
    total = flags.sum()
    return float(total.item()) if total.device.type == "cpu" else total


def _is_true(flag: torch.Tensor) -> bool:
    # Off the CPU asking would wait for the device: there only what is certain counts.
    return flag.device.type == "cpu" and bool(flag.item())
