"""Histograms of weights and gradients, at snapshot steps."""

from __future__ import annotations

import math
from typing import TYPE_CHECKING, Any, ClassVar, NamedTuple

import numpy as np
import torch

from autotrack.dtensors import is_spread
from autotrack.events import SnapshotGradients, SnapshotTaken
from autotrack.metrics._metric import Metric, Surroundings
from autotrack.metrics._shards import SPREAD
from autotrack.pending import Derived, Pending
from autotrack.records import Histogram, histogram_from_bit_counts

if TYPE_CHECKING:
    from numpy.typing import NDArray

    from autotrack.transfer import Transfer

# Sign, exponent and the top bit of the mantissa of a float32: two bins an octave.
_SHIFT = 22
_CODES = 1 << (32 - _SHIFT)
# The codes of infinity and NaN, of positive sign and of negative.
_NO_NUMBERS = [_CODES // 2 - 2, _CODES // 2 - 1, _CODES - 2, _CODES - 1]
# Of so many values on PyTorch makes up for what it takes to call it.
_LONG = 2**15
# So many are counted at a time, here and on a device: their codes and squares take several times
# as much memory, which here is the processor's nearest.
_PIECE_HERE, _PIECE_THERE = 2**18, 2**22


class Histograms(Metric):
    """`Weights/<parameter>` after the step and `Gradients/<parameter>` as the step used them."""

    listens: ClassVar[dict[type, str]] = {
        SnapshotGradients: "gradients_ready",
        SnapshotTaken: "step_taken",
    }
    optional: ClassVar[bool] = True

    def __init__(self, surroundings: Surroundings) -> None:
        super().__init__(surroundings)
        self._gradients: dict[Any, list[tuple[str, Any]]] = {}

    def gradients_ready(self, moment: SnapshotGradients) -> None:
        """Count the gradients of a snapshot step while they are there."""
        self._gradients[moment.stream] = [
            (f"Gradients/{name}", histogram)
            for name, parameter in self.surroundings.named(moment.stream)
            if parameter.grad is not None and (histogram := self._of(parameter.grad)) is not None
        ]

    def step_taken(self, moment: SnapshotTaken) -> None:
        """Count the weights of a snapshot step and write both."""
        gradients = self._gradients.pop(moment.stream, [])
        for name, parameter in self.surroundings.named(moment.stream):
            if is_spread(parameter):
                self.surroundings.absent["Weights"] = SPREAD
            elif (histogram := self._of(parameter)) is not None:
                moment.row.histograms.append((f"Weights/{name}", histogram))
        moment.row.histograms.extend(gradients)

    def _of(self, tensor: Any) -> Any:
        return histogram_of(tensor, self.surroundings.transfer)


def histogram_of(tensor: Any, transfer: Transfer) -> Histogram | Pending | None:
    """Return the histogram of a real tensor of any shape over fixed logarithmic bins.

    The bin of a value is read from the bits of its float32 form. Complex numbers have no order and
    shards no whole: None. On its way where a device holds the tensor, which counts it by itself.
    """
    values = tensor.detach()
    if is_spread(values) or values.is_complex() or not values.numel():
        return None
    if values.layout == torch.sparse_coo:
        if values.device.type != "cpu" and not values.is_coalesced():
            return None
        values = values.coalesce().values()
    if values.dtype is not torch.float32:
        values = values.float()
    if values.dim() != 1:
        values = values.reshape(-1)
    if values.device.type != "cpu":
        return _counted_there(values, transfer)
    return _counted_here(values)


class _Part(NamedTuple):
    """What is counted of some values, in the order of `histogram_from_bit_counts`."""

    counts: NDArray[np.int64]
    minimum: float
    maximum: float
    total: float
    squares: float
    nonfinite: tuple[int, int, int] = (0, 0, 0)


def _counted_here(values: torch.Tensor) -> Histogram:
    """Count on the CPU, where NumPy finds extremes in a fraction of PyTorch's time."""
    plain = values.numpy()
    whole = _part_of(plain[:_PIECE_HERE])
    for start in range(_PIECE_HERE, len(plain), _PIECE_HERE):
        whole = _joined(whole, _part_of(plain[start : start + _PIECE_HERE]))
    return histogram_from_bit_counts(*whole)


def _part_of(values: NDArray[np.float32]) -> _Part:
    counts = _counts_of(np.right_shift(values.view(np.uint32), _SHIFT))
    nonfinite = (0, 0, 0)
    if any(counts[_NO_NUMBERS].tolist()):
        nonfinite = (
            int(np.isnan(values).sum()),
            int((values == np.inf).sum()),
            int((values == -np.inf).sum()),
        )
        values = values[np.isfinite(values)]
    if not values.size:
        return _Part(counts, math.inf, -math.inf, 0.0, 0.0, nonfinite)
    extremes = float(values.min()), float(values.max())
    return _Part(counts, *extremes, *_sums_of(values), nonfinite)


def _joined(one: _Part, other: _Part) -> _Part:
    (a, b, c), (d, e, f) = one.nonfinite, other.nonfinite
    return _Part(
        one.counts + other.counts,
        min(one.minimum, other.minimum),
        max(one.maximum, other.maximum),
        one.total + other.total,
        one.squares + other.squares,
        (a + d, b + e, c + f),
    )


def _counts_of(codes: NDArray[np.uint32]) -> NDArray[np.int64]:
    if len(codes) < _LONG:
        return np.bincount(codes, minlength=_CODES)
    # PyTorch counts 32-bit codes as they are, where NumPy makes 64 bits of them first.
    there = torch.from_numpy(codes.view(np.int32))
    counts: NDArray[np.int64] = torch.bincount(there, minlength=_CODES).numpy()
    return counts


def _sums_of(values: NDArray[np.float32]) -> tuple[float, float]:
    """Return the sum and the sum of squares, in double precision."""
    if len(values) < _LONG:
        short = values.astype(np.float64)
        return float(short.sum()), float(np.dot(short, short))
    wide = torch.from_numpy(values).double()
    return wide.sum().item(), torch.dot(wide, wide).item()


def _counted_there(values: torch.Tensor, transfer: Transfer) -> Pending:
    """Count on the device, whatever the values are: nothing is asked, so nothing waits."""
    device = values.device
    places, sent = transfer.places(device, _CODES + 4)
    counts = torch.zeros(_CODES, dtype=torch.int32, device=device)
    one = torch.ones((), dtype=torch.int32, device=device)
    for piece in torch.split(values, _PIECE_THERE):
        codes = (piece.view(torch.int32) >> _SHIFT).bitwise_and_(_CODES - 1)
        counts.index_add_(0, codes, one.expand(len(piece)))
    places[:_CODES].copy_(counts)
    finite = torch.nan_to_num(values, nan=0.0, posinf=0.0, neginf=0.0)
    torch.sum(finite, dim=(0,), dtype=places.dtype, out=places[_CODES])
    torch.linalg.vector_norm(finite, dtype=places.dtype, out=places[_CODES + 1])
    for place, outside in ((_CODES + 2, torch.inf), (_CODES + 3, -torch.inf)):
        there = torch.nan_to_num(values, nan=outside, posinf=outside, neginf=outside)
        places[place].copy_(there.amin() if outside > 0 else there.amax())
    return Derived(_from_device, sent)


def _from_device(numbers: Any) -> Histogram:
    counts = numbers[:_CODES].astype("int64")
    total, norm, minimum, maximum = numbers[_CODES:].tolist()
    # What arithmetic makes of NaN has the top bit of the mantissa set, infinity has not.
    positive, nan, negative, negative_nan = counts[_NO_NUMBERS].tolist()
    nonfinite = (nan + negative_nan, positive, negative)
    return histogram_from_bit_counts(
        counts, minimum, maximum, total, norm * norm, nonfinite=nonfinite
    )
