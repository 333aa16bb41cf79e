"""Evaluation batches with what the model made of them: chances of classes beside the labels."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, ClassVar
from weakref import ref

import torch

from autotrack.contents import parts_of
from autotrack.events import (
    CriterionSeen,
    EvaluationBatchSeen,
    EvaluationPassEnded,
    OutputSeen,
    PassDiscarded,
)
from autotrack.keeper import Keeper
from autotrack.metrics._counting import classes_in, labels_in, scores_in
from autotrack.metrics._metric import Metric, Surroundings

if TYPE_CHECKING:
    from collections.abc import Callable

    from torch import Tensor

_CLASSES = frozenset({"cross_entropy", "nll_loss"})
_BINARY = frozenset({"binary_cross_entropy", "binary_cross_entropy_with_logits"})
_MATRIX = 2


@dataclass(slots=True, eq=False, repr=False)
class Scored:
    """One batch: `chances` [samples, classes] between 0 and 1, `labels` [samples] of integers.

    Samples whose label is `ignored` count nowhere. `batch` is what the loader gave.
    """

    chances: Tensor
    labels: Tensor
    ignored: int | None
    batch: Any

    @property
    def predicted(self) -> Tensor:
        """The most likely class of each sample, [samples]."""
        return self.chances.argmax(1)


class OfScoredBatches(Metric):
    """A metric of evaluation batches whose scores and labels can be seen.

    These are the arguments of the criterion, held weakly until the batch counts; without a
    criterion they are the model's output and the loader's labels.
    """

    listens: ClassVar[dict[type, str]] = {
        CriterionSeen: "criterion_seen",
        EvaluationBatchSeen: "evaluation_batch_seen",
        OutputSeen: "output_seen",
        EvaluationPassEnded: "evaluation_pass_ended",
        PassDiscarded: "pass_discarded",
    }
    optional: ClassVar[bool] = True

    def __init__(self, surroundings: Surroundings) -> None:
        super().__init__(surroundings)
        self._last: tuple[str, ref[Tensor], ref[Tensor], int | None] | None = None
        # How many classes there are in what feeds losses: scores of others are something else.
        self._classes: set[int] = set()

    def settle(self, pattern: Any) -> Keeper:
        """Have nothing to do while training only goes on."""
        return Keeper()

    def scored(self, evaluation: Any, scored: Scored) -> None:
        """Take one batch of an evaluation pass."""
        raise NotImplementedError

    def evaluation_pass_ended(self, moment: EvaluationPassEnded) -> None:
        """Write what the pass showed."""
        raise NotImplementedError

    def pass_discarded(self, moment: PassDiscarded) -> None:
        """Forget a pass that was none."""
        raise NotImplementedError

    def class_names(self, scored: Scored) -> Callable[[list[int]], list[str]]:
        """Return what writes classes by their names, or by their numbers where there are none."""
        names = self.surroundings.class_names(scored.chances.shape[1]) or []

        def say(numbers: list[int]) -> list[str]:
            return [names[n] if 0 <= n < len(names) else str(n) for n in numbers]

        return say

    def criterion_seen(self, moment: CriterionSeen) -> None:
        """Remember where the scores and labels of a call are; they are not kept alive."""
        event = moment.event
        if event.function in _CLASSES and event.loss.requires_grad:
            self._classes.add(classes_in(event.prediction))
        both = (event.prediction, event.target)
        if event.function in _CLASSES | _BINARY and all(isinstance(t, torch.Tensor) for t in both):
            self._last = (event.function, ref(both[0]), ref(both[1]), event.ignore_index)

    def evaluation_batch_seen(self, moment: EvaluationBatchSeen) -> None:
        """Hand on the batch that the last criterion call scored."""
        last, self._last = self._last, None
        if last is None:
            return
        function, prediction, target, ignored = last
        scores, labels = prediction(), target()
        if scores is None or labels is None:
            return
        chances = _chances(function, scores.detach(), labels)
        if chances is not None:
            flat = labels.detach().reshape(-1).long()
            self.scored(moment.evaluation, Scored(chances, flat, ignored, moment.batch))

    def output_seen(self, moment: OutputSeen) -> None:
        """Hand on a batch that no criterion scored, where training says what scores mean."""
        output = scores_in(moment.output)
        if not isinstance(output, torch.Tensor) or classes_in(output) not in self._classes:
            return
        if isinstance(moment.batch, torch.Tensor):
            # Nothing but inputs: numbers of words, say.
            return
        labels = labels_in(moment.batch, len(output))
        if labels is not None:
            labels = labels.to(output.device).long()
            chances = _chances("cross_entropy", output.detach(), labels)
            if chances is not None:
                self.scored(moment.evaluation, Scored(chances, labels, None, moment.batch))


def tensors_of(batch: Any) -> list[Tensor]:
    """Return the tensors that stand in a batch of a loader itself."""
    return [part for part in parts_of(batch) if isinstance(part, torch.Tensor)]


def _chances(function: str, scores: Tensor, labels: Tensor) -> Tensor | None:
    """Return [samples, classes]; None unless there is one label for each sample."""
    if function in _CLASSES:
        fits = scores.dim() == _MATRIX and labels.shape == scores.shape[:1]
        # of log-probabilities as of scores: the softmax of a log-softmax is its exponential
        return scores.float().softmax(1) if fits and not labels.is_floating_point() else None
    if scores.numel() != len(scores) or labels.shape != scores.shape:
        return None
    positive = scores.float().reshape(-1)
    if function == "binary_cross_entropy_with_logits":
        positive = positive.sigmoid()
    return torch.stack([1 - positive, positive], 1)
