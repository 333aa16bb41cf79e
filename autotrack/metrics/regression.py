"""R2 and mean absolute error, for training that fits numbers."""

from __future__ import annotations

from dataclasses import dataclass, field
from functools import partial
from typing import TYPE_CHECKING, Any, ClassVar, NamedTuple

import numpy as np
import torch

from autotrack.events import (
    CriterionSeen,
    EvaluationBatchSeen,
    EvaluationPassEnded,
    PassDiscarded,
    TrainBatchSeen,
    TrainPassEnded,
)
from autotrack.metrics._calls import Calls, keeper_of, one_place
from autotrack.metrics._metric import Metric, Surroundings, alone
from autotrack.metrics._ring import Rings
from autotrack.pending import Derived, Pending, Total, when_known

if TYPE_CHECKING:
    from numpy.typing import NDArray

    from autotrack.block import Block
    from autotrack.events import LossComputed
    from autotrack.keeper import Keeper
    from autotrack.transfer import Transfer

_FUNCTIONS = frozenset({"mse_loss", "l1_loss", "smooth_l1_loss", "huber_loss"})
_KEY = "regression"
_NUMPY_HAS = frozenset({torch.float32, torch.float64})
# What `ndarray.sum` calls, without a frame of Python between.
_sum = np.add.reduce
# Beyond this many outputs it is a picture or a signal, and one R2 over all of it says nothing.
MOST_OUTPUTS = 64
# Calls wait until they are so many, or of so many elements, and are summed up together.
_MOST_CALLS, _MOST_ELEMENTS = 64, 1 << 14


@dataclass(slots=True, eq=False, repr=False)
class Sums:
    """What R2 and MAE need, summed in double precision; targets relative to `shift`."""

    count: int
    elements: int
    absolute: Any
    squared: Any
    shift: Any
    targets: Any
    targets_squared: Any

    def __add__(self, other: Sums) -> Sums:
        moved = other.shift - self.shift
        return Sums(
            self.count + other.count,
            self.elements + other.elements,
            self.absolute + other.absolute,
            self.squared + other.squared,
            self.shift,
            self.targets + other.targets + other.count * moved,
            self.targets_squared
            + other.targets_squared
            + 2 * moved * other.targets
            + other.count * moved**2,
        )


class _Score(NamedTuple):
    """The sums of one criterion call, and over how many outputs a sample."""

    sums: Sums | Pending
    outputs: int


class _Rows(NamedTuple):
    """Copies of a small criterion call on the CPU, [samples, outputs], to be summed with others."""

    prediction: NDArray[np.float64]
    target: NDArray[np.float64]

    @property
    def outputs(self) -> int:
        return int(self.target.shape[1])


@dataclass(slots=True, eq=False, repr=False)
class _Running:
    outputs: int | None = None
    known: bool = True
    _sums: Total[Sums] = field(default_factory=Total)
    _rows: list[_Rows] = field(default_factory=list)
    _elements: int = 0

    def add(self, score: _Score | _Rows | None) -> None:
        if score is None or self.outputs not in (None, score.outputs):
            self.known = False
            return
        self.outputs = score.outputs
        if isinstance(score, _Score):
            self._sums.add(score.sums)
            return
        self._rows.append(score)
        self._elements += score.target.size
        if len(self._rows) >= _MOST_CALLS or self._elements >= _MOST_ELEMENTS:
            self._sum_up()

    @property
    def sums(self) -> Any:
        """The sums so far."""
        self._sum_up()
        return self._sums.value

    def _sum_up(self) -> None:
        if self._rows:
            both = zip(*self._rows, strict=True)
            self._sums.add(_sums_on_cpu(*(np.concatenate(arrays) for arrays in both)))
            self._rows.clear()
            self._elements = 0


class Regression(Metric):
    """`R2/*` (1 - SSE / SST, several outputs weighted by variance) and `MAE/*`, per pass."""

    listens: ClassVar[dict[type, str]] = {
        CriterionSeen: "criterion_seen",
        TrainBatchSeen: "batch_seen",
        TrainPassEnded: "train_pass_ended",
        EvaluationBatchSeen: "evaluation_batch_seen",
        EvaluationPassEnded: "evaluation_pass_ended",
        PassDiscarded: "pass_discarded",
    }

    def __init__(self, surroundings: Surroundings) -> None:
        super().__init__(surroundings)
        self._running: dict[Any, _Running] = {}
        self._evaluations: dict[Any, dict[tuple[str, int], _Running]] = {}
        self.rings = Rings()

    def settle(self, pattern: Any) -> Keeper | None:
        """Sum up calls of one shape together; where there is nothing to sum up, do nothing."""
        make = partial(_SumsOfSteps, self, pattern)
        return keeper_of(_KEY, pattern, one_place, self.running, make)

    def running(self, stream: Any) -> _Running:
        """Return what the stream's running pass sums up."""
        return self._running.setdefault(stream, _Running())

    def criterion_seen(self, moment: CriterionSeen) -> None:
        """Sum up a regression criterion's call, a small one on the CPU together with others."""
        event = moment.event
        if event.function in _FUNCTIONS:
            moment.call.scores[_KEY] = self._taken(event.prediction, event.target)

    def batch_seen(self, moment: TrainBatchSeen) -> None:
        """Add a training batch; two regression criteria on one step leave open which one counts."""
        counted = [part for part in moment.batch.parts if _KEY in part.scores]
        if not counted:
            return
        running = self.running(moment.stream)
        shown = one_place(counted)
        running.known = running.known and bool(shown)
        for part in shown:
            running.add(part.scores[_KEY])

    def train_pass_ended(self, moment: TrainPassEnded) -> None:
        """Add the two numbers of the pass."""
        _write(moment.row, "train", self._running.pop(moment.stream, None))

    def evaluation_batch_seen(self, moment: EvaluationBatchSeen) -> None:
        """Add an evaluation batch."""
        call = moment.call
        if _KEY in call.scores:
            calls = self._evaluations.setdefault(moment.evaluation, {})
            calls.setdefault((call.function, id(call.site)), _Running()).add(call.scores[_KEY])

    def evaluation_pass_ended(self, moment: EvaluationPassEnded) -> None:
        """Add the two numbers of the pass."""
        calls = self._evaluations.pop(moment.evaluation, {})
        _write(moment.row, f"{moment.phase}{moment.suffix}", alone(calls, moment.objective))

    def pass_discarded(self, moment: PassDiscarded) -> None:
        """Forget a pass that was none."""
        self._evaluations.pop(moment.evaluation, None)

    def score(self, prediction: Any, target: Any) -> _Score | None:
        """Return the sums of one criterion call; None where it makes no regression."""
        shape = _shape_of(prediction, target)
        return None if shape is None else self._sums(prediction, target, shape)

    def _taken(self, prediction: Any, target: Any) -> _Score | _Rows | None:
        """Return the same, or copies of a small call on the CPU."""
        shape = _shape_of(prediction, target)
        if shape is None:
            return None
        if target.device.type == "cpu" and target.numel() < _MOST_ELEMENTS:
            return _Rows(_as_rows(prediction, shape[0]), _as_rows(target, shape[0]))
        return self._sums(prediction, target, shape)

    def _sums(self, prediction: Any, target: Any, shape: tuple[int, int]) -> _Score:
        if target.device.type == "cpu":
            sums = _sums_on_cpu(_as_rows(prediction, shape[0]), _as_rows(target, shape[0]))
            return _Score(sums, shape[1])
        return _Score(_sums_there(prediction, target, shape, self.surroundings.transfer), shape[1])


class _SumsOfSteps(Calls):
    """Predicted numbers of one shape and their targets."""

    key: ClassVar[str] = _KEY

    def __init__(self, metric: Regression, pattern: Any, call: int) -> None:
        super().__init__(metric.rings, pattern, call)
        self._metric, self._stream = metric, pattern.stream
        self._shape: tuple[int, int] | None = None

    def fits(self, event: LossComputed) -> bool:
        """Whether they make a regression."""
        self._shape = _shape_of(event.prediction, event.target)
        return self._shape is not None

    def score(self, prediction: Any, target: Any) -> _Score | None:
        """Return the sums."""
        return self._metric.score(prediction, target)

    def score_all(self, predictions: torch.Tensor, targets: torch.Tensor) -> _Score | None:
        """Return the sums over all."""
        assert self._shape is not None
        rows = len(predictions) * self._shape[0]
        return self.score(predictions.reshape(rows, -1), targets.reshape(rows, -1))

    def score_each(self, predictions: torch.Tensor, targets: torch.Tensor) -> list[Any]:
        """Return the sums of each call."""
        if self._shape is None or not targets.is_cpu:
            return super().score_each(predictions, targets)
        calls, (count, outputs) = len(targets), self._shape
        shape = (calls, count, outputs)
        sums = _sums_of_each(*(_as_rows(t, calls).reshape(shape) for t in (predictions, targets)))
        return [_Score(one, outputs) for one in sums]

    def add(self, score: _Score | None) -> None:
        """Sum it up."""
        self._metric.running(self._stream).add(score)

    def write(self, passes: Block, scores: list[_Score | None]) -> None:
        """Add the two numbers of each pass; none where a call makes no regression."""
        sums = [score.sums for score in scores if score is not None]
        if len(sums) == len(scores):
            passes.columns.append(("MAE/train", when_known(_mean_absolute_errors, *sums)))
            passes.columns.append(("R2/train", when_known(_r2_of_each, *sums)))


def _shape_of(prediction: Any, target: Any) -> tuple[int, int] | None:
    """Return the number of samples and of outputs; None where they make no regression."""
    if (
        not isinstance(target, torch.Tensor)
        or prediction.shape != target.shape
        or not target.numel()
    ):
        return None
    if not target.is_floating_point() or _is_broadcast(target) or _is_broadcast(prediction):
        return None
    count = target.shape[0] if target.dim() else 1
    outputs = target.numel() // count
    if outputs > MOST_OUTPUTS:
        return None
    return count, outputs


def _as_rows(tensor: torch.Tensor, count: int) -> NDArray[np.float64]:
    # NumPy's small operations cost a fraction of PyTorch's, and it has no bfloat16.
    numbers = tensor.detach().resolve_neg()
    if numbers.dtype not in _NUMPY_HAS:
        numbers = numbers.float()
    return numbers.numpy().astype(np.float64).reshape(count, -1)


def _sums_on_cpu(prediction: NDArray[np.float64], target: NDArray[np.float64]) -> Sums:
    error = prediction - target
    shift = target[0].copy()
    around = target - shift
    return Sums(
        len(target),
        target.size,
        float(_sum(np.abs(error), None)),
        float(np.vdot(error, error)),
        shift,
        _sum(around, 0),
        _sum(np.square(around), 0),
    )


def _sums_of_each(prediction: NDArray[np.float64], target: NDArray[np.float64]) -> list[Sums]:
    """Return the sums of several calls, [calls, samples, outputs]."""
    error = prediction - target
    shift = target[:, 0].copy()
    around = target - shift[:, None]
    samples, elements = target.shape[1], target[0].size
    columns = (
        _sum(np.abs(error), (1, 2)).tolist(),
        _sum(np.square(error), (1, 2)).tolist(),
        shift,
        _sum(around, 1),
        _sum(np.square(around), 1),
    )
    return [Sums(samples, elements, *numbers) for numbers in zip(*columns, strict=True)]


def _sums_there(
    prediction: torch.Tensor, target: torch.Tensor, shape: tuple[int, int], transfer: Transfer
) -> Any:
    """Sum up on the device; the sums of several batches are put together at home."""
    count, outputs = shape
    places, sent = transfer.places(target.device, 2 + 3 * outputs)
    wanted, predicted = (_at_least_single(t.detach().reshape(shape)) for t in (target, prediction))
    error = predicted - wanted
    around = wanted - wanted[0]
    torch.linalg.vector_norm(error, 1, dtype=places.dtype, out=places[0])
    torch.linalg.vector_norm(error, 2, dtype=places.dtype, out=places[1])
    shift, targets, spread = places[2:].view(3, outputs).unbind()
    shift.copy_(wanted[0])
    torch.sum(around, dim=(0,), dtype=places.dtype, out=targets)
    torch.linalg.vector_norm(around, 2, dim=0, dtype=places.dtype, out=spread)
    return Derived(partial(_sums_from_device, count, outputs), sent)


def _at_least_single(tensor: torch.Tensor) -> torch.Tensor:
    return tensor.float() if tensor.dtype in (torch.float16, torch.bfloat16) else tensor


def _sums_from_device(count: int, outputs: int, numbers: NDArray[np.float64]) -> Sums:
    shift, targets, spread = numbers[2:].reshape(3, outputs)
    absolute, error = numbers[:2].tolist()
    return Sums(count, count * outputs, absolute, error**2, shift, targets, spread**2)


def _is_broadcast(tensor: torch.Tensor) -> bool:
    # `mse_loss` stretches a mismatched shape before its kernel sees it: a stride of 0 tells.
    if tensor.is_contiguous():
        return False
    return any(n > 1 and s == 0 for n, s in zip(tensor.shape, tensor.stride(), strict=True))


def _write(row: Any, phase: str, running: _Running | None) -> None:
    if running is None or not running.known or running.outputs is None:
        return
    sums = running.sums
    for name, function in (("MAE", _mean_absolute_error), ("R2", _r2)):
        value = when_known(function, sums)
        if value is not None:
            row.add(f"{name}/{phase}", value)


def _mean_absolute_error(sums: Sums) -> float:
    return _mean_absolute_errors(sums)[0]


def _mean_absolute_errors(*sums: Sums) -> list[float]:
    return [one.absolute / one.elements for one in sums]


def _r2(sums: Sums) -> float | None:
    return _r2_of_each(sums)[0]


def _r2_of_each(*sums: Sums) -> list[float | None]:
    """With one sample, or targets that are all equal, R2 is not defined."""
    targets, squares = (
        np.array([getattr(one, name) for one in sums]) for name in ("targets", "targets_squared")
    )
    counts = np.array([[one.count] for one in sums])
    spread = (squares - targets**2 / counts).sum(axis=1).tolist()
    return [
        1 - one.squared / around if one.count > 1 and around > 0 else None
        for one, around in zip(sums, spread, strict=True)
    ]
