"""Histograms of weights and gradients, at snapshot steps."""

from __future__ import annotations

from typing import Any, ClassVar

import torch

from autotrack.events import GradientsReady, StepTaken
from autotrack.metrics._metric import Metric, Surroundings
from autotrack.metrics._shards import SPREAD, is_spread
from autotrack.records import Histogram, histogram_from_bit_counts

# Sign, exponent and the top bit of the mantissa of a float32: two bins an octave.
_SHIFT = 22
_CODES = 1 << (32 - _SHIFT)


class Histograms(Metric):
    """`Weights/<parameter>` after the step and `Gradients/<parameter>` as the step used them."""

    listens: ClassVar[dict[type, str]] = {
        GradientsReady: "gradients_ready",
        StepTaken: "step_taken",
    }
    optional: ClassVar[bool] = True

    def __init__(self, surroundings: Surroundings) -> None:
        super().__init__(surroundings)
        self._gradients: dict[Any, list[tuple[str, Histogram]]] = {}

    def gradients_ready(self, moment: GradientsReady) -> None:
        """Count the gradients of a snapshot step while they are there."""
        if not moment.snapshot:
            return
        self._gradients[moment.stream] = [
            (f"Gradients/{name}", histogram)
            for name, parameter in self.surroundings.named(moment.stream)
            if parameter.grad is not None
            and (histogram := histogram_of(parameter.grad)) is not None
        ]

    def step_taken(self, moment: StepTaken) -> None:
        """Count the weights of a snapshot step and write both."""
        gradients = self._gradients.pop(moment.stream, [])
        if not moment.snapshot:
            return
        for name, parameter in self.surroundings.named(moment.stream):
            if is_spread(parameter):
                self.surroundings.absent["Weights"] = SPREAD
            elif (histogram := histogram_of(parameter)) is not None:
                moment.row.histograms.append((f"Weights/{name}", histogram))
        moment.row.histograms.extend(gradients)


def histogram_of(tensor: Any) -> Histogram | None:
    """Return the histogram of a real tensor of any shape over fixed logarithmic bins.

    The bin of a value is read from the bits of its float32 form. Complex numbers have no order and
    shards no whole: None.
    """
    values = tensor.detach()
    if is_spread(values) or values.is_complex() or not values.numel():
        return None
    if values.layout == torch.sparse_coo:
        values = values.coalesce().values()
    values = values.reshape(-1).to(torch.float32)
    codes = (values.view(torch.int32) >> _SHIFT) & (_CODES - 1)
    counts = torch.bincount(codes, minlength=_CODES).cpu().numpy()
    finite = values.isfinite()
    nonfinite = (0, 0, 0)
    if not bool(finite.all()):
        nonfinite = (
            int(values.isnan().sum()),
            int((values == float("inf")).sum()),
            int((values == -float("inf")).sum()),
        )
        values = values[finite]
    if not values.numel():
        return histogram_from_bit_counts(counts, 0.0, 0.0, 0.0, 0.0, nonfinite=nonfinite)
    wide = values.double()
    return histogram_from_bit_counts(
        counts,
        float(values.min()),
        float(values.max()),
        float(wide.sum()),
        float(wide.square().sum()),
        nonfinite=nonfinite,
    )
