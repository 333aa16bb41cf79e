"""Which output rows of weights get no gradient at all, snapshot after snapshot."""

from __future__ import annotations

import math
from collections import deque
from typing import TYPE_CHECKING, Any, ClassVar

import numpy as np
import torch

from autotrack.dtensors import is_spread
from autotrack.events import SnapshotGradients, SnapshotTaken, StepSkipped
from autotrack.metrics._metric import Metric, Surroundings

if TYPE_CHECKING:
    from torch import Tensor

    #: A device keeps its own.
    Share = float | Tensor

# A unit may rest for one batch: one that rested at so many snapshots in a row is counted.
_SNAPSHOTS = 4
# For fewer samples units of every network rest, and the batch of a snapshot may always be the same.
_FEWEST_SAMPLES = 16
# Bytes of a number in single precision.
_SINGLE = 4


class ZeroGradientRows(Metric):
    """`autotrack/zero_gradient_rows`: the share of output rows without gradient, a parameter each.

    At snapshots, and of the rows without gradient at this snapshot and the three before it. A row
    is what leads to one output: one unit of a linear layer, one channel of a convolution, one
    element of a bias. NaN for a parameter without a gradient, for embeddings, of which a batch
    never needs all rows, and where the step is known to have had fewer than 16 samples.
    """

    listens: ClassVar[dict[type, str]] = {
        SnapshotGradients: "ready",
        StepSkipped: "step_skipped",
        SnapshotTaken: "step_taken",
    }
    optional: ClassVar[bool] = True

    def __init__(self, surroundings: Surroundings) -> None:
        super().__init__(surroundings)
        self._resting: dict[Any, dict[str, deque[Any]]] = {}
        self._embeddings: dict[Any, set[str]] = {}
        self._found: dict[Any, dict[str, Share]] = {}

    def ready(self, moment: SnapshotGradients) -> None:
        """Look at the gradients of a snapshot step while they are there."""
        stream = moment.stream
        named = self.surroundings.named(stream)
        if stream not in self._embeddings:
            tables = {name for name, p in named if self.surroundings.is_embedding(p)}
            self._embeddings[stream] = tables
        self._found[stream] = {name: self._share(stream, name, p) for name, p in named}

    def step_skipped(self, moment: StepSkipped) -> None:
        """Forget what was seen for a step that did not happen."""
        self._found.pop(moment.stream, None)

    def step_taken(self, moment: SnapshotTaken) -> None:
        """Write the shares of a snapshot step."""
        shares = self._found.pop(moment.stream, None)
        if shares and _has_few_samples(moment):
            self._resting.pop(moment.stream, None)
            shares = dict.fromkeys(shares, math.nan)
        if shares:
            self.surroundings.write_vector(
                moment.row,
                moment.stream,
                list(shares),
                "autotrack/zero_gradient_rows",
                _stacked(list(shares.values())),
            )

    def _share(self, stream: Any, name: str, parameter: Tensor) -> Share:
        gradient = parameter.grad
        if gradient is None or name in self._embeddings[stream]:
            return math.nan
        if is_spread(gradient) or gradient.layout != torch.strided or not gradient.numel():
            return math.nan
        gradient = gradient.detach()
        rows = gradient.reshape(len(gradient), -1) if gradient.dim() else gradient.reshape(1, 1)
        history = self._resting.setdefault(stream, {}).setdefault(name, deque(maxlen=_SNAPSHOTS))
        if rows.device.type == "cpu":
            history.append(frozenset(_rows_of_zeros(rows)))
            return len(frozenset.intersection(*history)) / len(rows)
        history.append((rows == 0).all(dim=1))
        resting = torch.stack(list(history)).all(dim=0) if len(history) > 1 else history[0]
        return resting.float().mean()


def _has_few_samples(moment: SnapshotTaken) -> bool:
    sizes = [batch.size for batch in moment.batches]
    return None not in sizes and 0 < sum(sizes) < _FEWEST_SAMPLES  # type: ignore[arg-type]


def _rows_of_zeros(rows: Tensor) -> list[int]:
    """Return which rows, on the CPU, are zero throughout: few that begin so need a closer look."""
    # NumPy knows no bfloat16, and no conjugate that is not worked out yet.
    plain = (rows if rows.element_size() >= _SINGLE else rows.float()).numpy(force=True)
    found = np.flatnonzero(plain[:, 0] == 0)
    if len(found):
        found = found[~plain[found].any(1)]
    return found.tolist()


def _stacked(shares: list[Share]) -> Any:
    home = next((s.device for s in shares if isinstance(s, torch.Tensor)), None)
    if home is None:
        return shares
    tensors = [s if isinstance(s, torch.Tensor) else torch.tensor(s) for s in shares]
    return torch.stack([share.to(home, non_blocking=True) for share in tensors])
