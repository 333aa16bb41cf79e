"""Update ratios at snapshot steps: how far a step moved the weights, relative to their size."""

from __future__ import annotations

import math
from typing import Any, ClassVar

import torch

from autotrack.dtensors import is_spread
from autotrack.events import SnapshotBegan, SnapshotTaken, StepSkipped
from autotrack.metrics._metric import Metric, Surroundings
from autotrack.metrics._norms import norms_of, together
from autotrack.metrics._shards import SPREAD
from autotrack.pending import when_known

# A copy of the weights lives for one step; beyond this many elements it would crowd a device.
MOST_ELEMENTS = 64_000_000


class UpdateRatio(Metric):
    """Norm of the weight change over norm of the weight before it.

    `UpdateRatio/total` over all parameters; each parameter's own ratio in one hidden vector, so
    that a large model does not flood TensorBoard with charts.
    """

    listens: ClassVar[dict[type, str]] = {
        SnapshotBegan: "step_began",
        SnapshotTaken: "step_taken",
        StepSkipped: "step_skipped",
    }
    optional: ClassVar[bool] = True

    def __init__(self, surroundings: Surroundings) -> None:
        super().__init__(surroundings)
        self._before: dict[Any, list[tuple[str, Any, torch.Tensor]]] = {}

    def step_began(self, moment: SnapshotBegan) -> None:
        """Copy the weights of a snapshot step before they change."""
        named = self.surroundings.named(moment.stream)
        if any(is_spread(p) for _, p in named):
            self.surroundings.absent["UpdateRatio"] = SPREAD
            return
        if sum(p.numel() for _, p in named) > MOST_ELEMENTS:
            self.surroundings.absent["UpdateRatio"] = f"more than {MOST_ELEMENTS:,} weights to copy"
            return
        self._before[moment.stream] = [(name, p, p.detach().clone()) for name, p in named]

    def step_taken(self, moment: SnapshotTaken) -> None:
        """Write the ratios of a snapshot step."""
        before = self._before.pop(moment.stream, None)
        if not before:
            return
        transfer, weights = self.surroundings.transfer, [old for _, _, old in before]
        size = norms_of(weights, transfer)
        # The copies become what the step has changed, up to the sign.
        torch._foreach_sub_(weights, [p.detach() for _, p, _ in before])
        moved = norms_of(weights, transfer)
        if (total := when_known(_ratio, moved, size)) is not None:
            moment.row.add("UpdateRatio/total", total)
        ratios = when_known(_ratios, moved, size)
        names = [name for name, _, _ in before]
        self.surroundings.write_vector(
            moment.row, moment.stream, names, "autotrack/update_ratio", ratios
        )

    def step_skipped(self, moment: StepSkipped) -> None:
        """Forget the copy of a step that did not happen."""
        self._before.pop(moment.stream, None)


def _ratio(moved: list[float], size: list[float]) -> float | None:
    whole = together(size)
    return together(moved) / whole if whole > 0 else None


def _ratios(moved: list[float], size: list[float]) -> list[float]:
    return [m / s if s else math.nan for m, s in zip(moved, size, strict=True)]
