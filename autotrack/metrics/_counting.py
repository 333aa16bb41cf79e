"""Counts what one criterion call got right; on a device without asking it for anything."""

from __future__ import annotations

import math
from functools import partial
from typing import TYPE_CHECKING, Any, NamedTuple

import numpy as np
import torch

from autotrack.metrics._confusion import Pairs, pairs_of
from autotrack.pending import Pending, when_known

if TYPE_CHECKING:
    from numpy.typing import NDArray

    from autotrack.row import Value
    from autotrack.transfer import Transfer


# Of more elements PyTorch makes up for what its calls take, by all cores that it may use.
_SMALL = 2**16
_LABELS = frozenset({torch.int64, torch.int32, torch.int16, torch.int8, torch.uint8})


class Score(NamedTuple):
    """What one criterion call got right, of how many; `varied` is 0 if its targets are all equal.

    `correct` is NaN where that turned out not to be known; `pairs` are its labels and predictions,
    where they are classes.
    """

    correct: Value
    total: Value
    varied: Value = 1.0
    pairs: Pairs | None = None


class Found(NamedTuple):
    """What one criterion call found on the CPU, to be counted with others: classes and labels."""

    predicted: NDArray[np.integer]
    labels: NDArray[np.integer]
    classes: int
    ignored: int | None

    @property
    def samples(self) -> int:
        """How many labels there are, those that are ignored among them."""
        return self.labels.size


class Counter:
    """Counts scores against targets.

    On a device the scores are not searched for NaN, which a sample's loss would show: where that
    turns out to be NaN, the count is not known. Once a loss was not finite, scores are searched.
    """

    def __init__(self, transfer: Transfer, nonfinite: dict[str, Any]) -> None:
        self._transfer = transfer
        self._nonfinite = nonfinite

    def classes(
        self, prediction: Any, target: Any, ignored: int | None, loss: Value | None
    ) -> Score | None:
        """Return correct and total over the class dimension; None without a class index as target.

        prediction (N, C, ...) or (C), target (N, ...) or () of integers.
        """
        if not isinstance(target, torch.Tensor) or target.is_floating_point():
            return None
        if target.is_complex():
            return None
        prediction = prediction.detach()
        dimension = 1 if prediction.dim() > 1 else 0
        expected = prediction.shape[:dimension] + prediction.shape[dimension + 1 :]
        if expected != target.shape:
            return None
        unscored = prediction.isnan().any(dimension) if self._may_be_nan(loss) else None
        classes = prediction.shape[dimension]
        predicted = largest(prediction, dimension)
        return self.counted(predicted, target, classes, ignored, loss=loss, unscored=unscored)

    def found(
        self, prediction: Any, target: Any, ignored: int | None, loss: Value | None
    ) -> Found | None:
        """Return the classes that small scores on the CPU find, None where that is not so plain.

        prediction (N, C) in single precision, target (N) of integers. Counting is several
        operations, each of them cold in the loop: this is one, and the rest is done for many calls.
        """
        if type(loss) is not float or not math.isfinite(loss) or not _is_table(prediction):
            return None
        if not _is_plain(target) or target.dtype not in _LABELS or self._transfer.carries(target):
            return None
        samples, classes = prediction.shape
        if target.shape != (samples,) or prediction.numel() > _SMALL:
            return None
        return Found(prediction.detach().numpy().argmax(1), target.numpy().copy(), classes, ignored)

    def together(self, found: list[Found]) -> Score:
        """Return correct and total of calls that have their classes and what they ignore alike."""
        first = found[0]
        predicted, labels = first.predicted, first.labels
        if len(found) > 1:
            predicted = np.concatenate([one.predicted for one in found])
            labels = np.concatenate([one.labels for one in found])
        both = torch.from_numpy(predicted), torch.from_numpy(labels)
        return self.counted(*both, first.classes, first.ignored, loss=0.0)

    def counted(
        self,
        predicted: torch.Tensor,
        target: torch.Tensor,
        classes: int,
        ignored: int | None,
        *,
        loss: Value | None,
        unscored: torch.Tensor | None = None,
    ) -> Score:
        """Return correct and total of predicted classes, of as many as `target` has labels.

        `unscored` is true where the scores were no numbers.
        """
        samples = float(target.numel())
        if unscored is None:
            predicted, target = self._at_hand(predicted, target)
        correct = predicted == target
        valid = None if ignored is None else target != ignored
        if unscored is not None:
            correct &= ~unscored
            unscored = unscored if valid is None else unscored & valid
        pairs = pairs_of(target, predicted, classes, ignored=ignored, unscored=unscored)
        if valid is None or ignored is None:
            return Score(self._correct(correct, loss), samples, pairs=pairs)
        if ignored >= 0:
            correct &= valid
        return Score(self._correct(correct, loss), self._count(valid), pairs=pairs)

    def tables(
        self, predictions: torch.Tensor, targets: torch.Tensor, ignored: int | None
    ) -> list[Score]:
        """Return correct and total of several calls without NaN among their scores, on the CPU.

        predictions [calls, N, C], targets [calls, N] of integers.
        """
        predicted = largest(predictions, 2)
        correct = predicted == targets
        totals = [float(targets.shape[1])] * len(targets)
        if ignored is not None:
            valid = targets != ignored
            correct &= valid
            totals = valid.sum(1).double().tolist()
        classes = predictions.shape[2]
        pairs = pairs_of(targets, predicted, classes, ignored=ignored)
        places = None if pairs is None else pairs.places.view(targets.shape)
        return [
            Score(right, total, pairs=None if places is None else Pairs(own, classes, ignored))
            for right, total, own in zip(
                correct.sum(1).double().tolist(),
                totals,
                [None] * len(targets) if places is None else places,
                strict=True,
            )
        ]

    def binary(self, prediction: Any, target: Any, threshold: float, loss: Any) -> Score | None:
        """Return correct and total per element; None where targets are not all of two values."""
        if not isinstance(target, torch.Tensor) or target.shape != prediction.shape:
            return None
        number = float(target.numel())
        # One number a sample is a choice between two classes; several are labels of their own.
        single = target.numel() == len(target) if target.dim() else True
        prediction, target = prediction.detach(), target.detach()
        searched = self._may_be_nan(loss)
        if not searched:
            prediction, target = self._at_hand(prediction, target)
        ones = self._count(target == 1)
        zeros = self._count(target == 0)
        # A threshold at zero goes with targets of plus and minus one as well.
        minus = 0.0 if threshold else self._count(target == -1)
        both = when_known(partial(_of_two_values, number), ones, zeros, minus)
        if both is False:
            return None
        positive, predicted, unscored = target > 0, prediction > threshold, None
        correct = predicted == positive
        if searched:
            unscored = prediction.isnan()
            correct &= ~unscored
        right = when_known(_if, both, self._correct(correct, loss))
        varied = when_known(partial(_varied, number), ones)
        pairs = pairs_of(positive, predicted, 2, unscored=unscored) if single else None
        return Score(right, number, varied, pairs)

    def outputs(self, output: Any, batch: Any) -> Score | None:
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
        return self.classes(output, labels[0].to(output.device, non_blocking=True), None, None)

    def _may_be_nan(self, loss: Value | None) -> bool:
        if isinstance(loss, float):
            return not math.isfinite(loss)
        return loss is None or "Loss/train" in self._nonfinite

    def _at_hand(self, one: torch.Tensor, other: torch.Tensor) -> tuple[Any, Any]:
        """Return small tensors as arrays, which takes a third of the time; others as they are."""
        if one.numel() > _SMALL or self._transfer.carries(one):
            return one, other
        if not (_is_plain(one) and _is_plain(other)):
            return one, other
        return one.resolve_neg().numpy(), other.resolve_neg().numpy()

    def _count(self, flags: Any) -> Value:
        if isinstance(flags, torch.Tensor):
            return self._transfer.count(flags)
        return float(np.count_nonzero(flags))

    def _correct(self, flags: Any, loss: Value | None) -> Value:
        """Return how many flags are set, NaN where scores that nobody searched were NaN."""
        correct = self._count(flags)
        if isinstance(loss, Pending) and not self._may_be_nan(loss):
            checked: Value = when_known(_unless_nan, correct, loss)
            return checked
        return correct


def largest(scores: torch.Tensor, dimension: int) -> torch.Tensor:
    """Return the index of the largest score, the first of several; of NaN where there is one."""
    if not _is_plain(scores) or scores.dtype is not torch.float32 or scores.stride(dimension) != 1:
        return scores.argmax(dimension)
    # NumPy takes an eighth of the time where a sample's scores lie side by side.
    return torch.from_numpy(np.asarray(scores.resolve_neg().numpy().argmax(dimension)))


def _is_table(scores: torch.Tensor) -> bool:
    """Whether NumPy can look at scores of single precision, one row a sample."""
    plain = type(scores) is torch.Tensor and scores.is_cpu and scores.dtype is torch.float32
    if not plain or scores.layout is not torch.strided or scores.is_neg():
        return False
    return scores.dim() == 2  # noqa: PLR2004 - (N, C)


def _is_plain(tensor: torch.Tensor) -> bool:
    """Whether NumPy can look at a tensor's memory (of bfloat16 it cannot)."""
    strided = type(tensor) is torch.Tensor and tensor.layout is torch.strided
    return strided and tensor.is_cpu and tensor.dtype is not torch.bfloat16


def _of_two_values(number: float, ones: float, zeros: float, minus: float) -> bool:
    return number in (ones + zeros, ones + minus)


def _varied(number: float, ones: float) -> float:
    return float(0 < ones < number)


def _if(known: float, correct: float) -> float:
    return correct if known else math.nan


def _unless_nan(correct: float, loss: float) -> float:
    return math.nan if math.isnan(loss) else correct


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
