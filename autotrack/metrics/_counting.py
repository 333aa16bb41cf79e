"""Counts what one criterion call got right; on a device without asking it for anything."""

from __future__ import annotations

import math
from functools import partial
from typing import TYPE_CHECKING, Any, NamedTuple

import numpy as np
import torch

from autotrack.contents import parts_of
from autotrack.metrics._confusion import Pairs, Table, pairs_of, table_of
from autotrack.pending import Pending, when_known

if TYPE_CHECKING:
    from numpy.typing import NDArray

    from autotrack.row import Value
    from autotrack.transfer import Transfer


# Of more elements PyTorch makes up for what its calls take, by all cores that it may use.
_SMALL = 2**16
# Copies of more elements take longer than looking at them at once.
_FEW = 2**12
_MATRIX = 2
_LABELS = frozenset({torch.int64, torch.int32, torch.int16, torch.int8, torch.uint8})


class Score(NamedTuple):
    """What one criterion call got right, of how many; `varied` is 0 if its targets are all equal.

    `correct` is NaN where that turned out not to be known; `pairs` are its labels and predictions,
    where they are classes.
    """

    correct: Value
    total: Value
    varied: Value = 1.0
    pairs: Pairs | Table | None = None


class Found(NamedTuple):
    """What one criterion call found on the CPU, to be counted with others: classes and labels."""

    predicted: NDArray[np.integer]
    labels: NDArray[np.integer]
    classes: int
    ignored: int | None

    @property
    def kind(self) -> tuple[int, int | None]:
        """What calls that are counted together have alike."""
        return self.classes, self.ignored

    @staticmethod
    def together(found: list[Found]) -> tuple[Score, list[float]]:
        """Return correct and total of several calls, and what varied in each."""
        predicted = _joined([one.predicted for one in found])
        labels = _joined([one.labels for one in found])
        score = _counted_here(predicted, labels, found[0].classes, found[0].ignored)
        return score, [1.0] * len(found)


class FoundPositive(NamedTuple):
    """The same of choices between two: which scores lie above the threshold, and the targets.

    With `single` each sample is one choice.
    """

    predicted: NDArray[np.bool_]
    labels: NDArray[np.floating]
    threshold: float
    single: bool

    @property
    def kind(self) -> tuple[float, bool]:
        """What calls that are counted together have alike."""
        return self.threshold, self.single

    @staticmethod
    def together(found: list[FoundPositive]) -> tuple[Score | None, list[float]]:
        """Return correct and total, None where targets of a call are not all of two values."""
        first = found[0]
        labels = _joined([one.labels for one in found])
        sizes = np.array([one.labels.size for one in found])
        starts = np.cumsum(sizes) - sizes
        positive = labels > 0
        ones, zeros = (np.add.reduceat(labels == n, starts, dtype=np.int64) for n in (1, 0))
        of_two = ones + zeros == sizes
        if not first.threshold:
            of_two |= ones + np.add.reduceat(labels == -1, starts, dtype=np.int64) == sizes
        if not of_two.all():
            return None, []
        predicted = _joined([one.predicted for one in found])
        table = table_of(positive, predicted, 2) if first.single else None
        correct = table.right if table else float(np.count_nonzero(predicted == positive))
        varied = ((ones > 0) & (ones < sizes)).astype(float).tolist()
        return Score(correct, float(labels.size), pairs=table), varied


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

    @staticmethod
    def found(
        prediction: Any, target: Any, ignored: int | None, loss: Value | None
    ) -> Found | None:
        """Return the classes that small scores on the CPU find, None where that is not so plain.

        prediction (N, C) in single precision, target (N) of integers. Counting is several
        operations, each of them cold in the loop: this is one, and the rest is done for many calls.
        """
        if type(loss) is not float or not math.isfinite(loss):
            return None
        if not (_is_at_hand(prediction) and _is_at_hand(target)) or target.dtype not in _LABELS:
            return None
        if prediction.dtype is not torch.float32 or prediction.dim() != _MATRIX:
            return None
        samples, classes = prediction.shape
        if target.shape != (samples,) or prediction.numel() > _SMALL:
            return None
        return Found(prediction.detach().numpy().argmax(1), target.numpy().copy(), classes, ignored)

    @staticmethod
    def found_in_all(
        predictions: torch.Tensor, targets: torch.Tensor, ignored: int | None
    ) -> Found:
        """Return the same of several calls that are all that plain, [calls, N, C] and [calls, N].

        No view of them is kept.
        """
        scores = predictions.numpy()
        predicted = scores.reshape(-1, scores.shape[2]).argmax(1)
        return Found(predicted, targets.numpy().flatten(), scores.shape[2], ignored)

    @staticmethod
    def found_positive(
        prediction: Any, target: Any, threshold: float, loss: Value | None
    ) -> FoundPositive | None:
        """Return the same of choices between two, whose scores and targets have one shape."""
        if type(loss) is not float or not math.isfinite(loss):
            return None
        if not (_is_at_hand(prediction) and _is_at_hand(target)):
            return None
        number = target.numel()
        if prediction.shape != target.shape or not 0 < number <= _FEW:
            return None
        predicted = prediction.detach().numpy() > threshold
        labels = target.detach().numpy().copy()
        single = number == len(target) if target.dim() else True
        return FoundPositive(predicted.reshape(-1), labels.reshape(-1), threshold, single)

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
            here: tuple[Any, Any] = self._at_hand(predicted, target)
            if isinstance(here[0], np.ndarray):
                return _counted_here(*here, classes, ignored)
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
        if not isinstance(output, torch.Tensor) or not _are_class_scores(output):
            return None
        if isinstance(batch, torch.Tensor):
            # Nothing but inputs: numbers of words, say.
            return None
        labels = labels_in(batch, len(output))
        if labels is None or not _are_classes(labels, output.shape[1]):
            return None
        return self.classes(output, labels.to(output.device, non_blocking=True), None, None)

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


def _is_at_hand(tensor: Any) -> bool:
    """Whether NumPy can look at a tensor's memory, and sees there what the tensor says."""
    return isinstance(tensor, torch.Tensor) and _is_plain(tensor) and not tensor.is_neg()


def _counted_here(
    predicted: NDArray[Any], labels: NDArray[Any], classes: int, ignored: int | None
) -> Score:
    table = table_of(labels, predicted, classes, ignored)
    if table is not None:
        return Score(table.right, table.samples, pairs=table)
    correct, samples = predicted == labels, labels.size
    if ignored is not None:
        valid = labels != ignored
        correct &= valid
        samples = int(np.count_nonzero(valid))
    pairs = pairs_of(labels, predicted, classes, ignored=ignored)
    return Score(float(np.count_nonzero(correct)), float(samples), pairs=pairs)


def _joined(arrays: list[NDArray[Any]]) -> NDArray[Any]:
    return arrays[0] if len(arrays) == 1 else np.concatenate(arrays)


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


def scores_in(output: Any) -> Any:
    """Return what stands first in a model's output, which are its scores if it has any."""
    while isinstance(output, (tuple, list)) and output:
        output = output[0]
    return output


def has_several(output: Any) -> bool:
    """Whether others of the shape of the first scores stand beside them, as of several heads."""
    while isinstance(output, (tuple, list)) and output:
        first, *others = output
        shape = getattr(first, "shape", ())
        if len(shape) > 1 and any(getattr(one, "shape", None) == shape for one in others):
            return True
        output = first
    return False


def classes_in(scores: Any) -> int:
    """Return how many classes scores are of; 0 where they are none: (C) or (N, C, ...)."""
    shape = scores.shape if isinstance(scores, torch.Tensor) else ()
    return int(shape[1] if len(shape) > 1 else shape[0]) if shape else 0


def _are_class_scores(output: torch.Tensor) -> bool:
    return output.dim() == 2 and output.shape[1] > 1  # noqa: PLR2004 - (N, C)


def labels_in(batch: Any, samples: int) -> torch.Tensor | None:
    """Return the one row of so many whole numbers that a batch has, those of 64 bits first."""
    rows = [part for part in parts_of(batch) if _is_row_of_labels(part, samples)]
    long = [row for row in rows if row.dtype is torch.int64]
    found = long or rows
    return found[0] if len(found) == 1 else None


def _is_row_of_labels(part: Any, samples: int) -> bool:
    return isinstance(part, torch.Tensor) and part.dtype in _LABELS and part.shape == (samples,)


def _are_classes(labels: torch.Tensor, classes: int) -> bool:
    # Row numbers for a submission look like labels, until one is too large.
    return labels.device.type == "cpu" and bool(((labels >= 0) & (labels < classes)).all())
