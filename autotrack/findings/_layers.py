"""What rules ask about parameters, in their order: from the input's side to the output's."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np

from autotrack.findings._record import Floats, tag

if TYPE_CHECKING:
    from autotrack.history import History
    from autotrack.series import VectorSeries


@dataclass(frozen=True)
class Layers:
    """Gradient sizes of weights: `rms` of shape [snapshots, len(names)], NaN where unknown."""

    names: list[str]
    rms: Floats
    steps: list[int]


def weight_gradients(history: History, stream: str) -> Layers | None:
    """Return the root mean square of the gradients of a stream's weights at snapshots.

    Biases and the scales of normalisations are left out, so that like is compared with like; their
    names end differently. None where the record has no norms, or not how large the weights are.
    """
    norms = history.vectors.get(tag("autotrack/gradient_norm", stream))
    if norms is None or not len(norms):
        return None
    known = {}
    for name in norms.names:
        weights = history.histograms.get(f"Weights/{name}")
        if name.endswith("weight") and weights is not None and len(weights):
            known[name] = int(weights.number.max())
    names = [name for name in norms.names if known.get(name, 0) > 1 and not _is_scale(name, known)]
    if not names:
        return None
    columns = [norms.names.index(name) for name in names]
    sizes = np.sqrt([known[name] for name in names])
    rms: Floats = norms.value[:, columns].astype(np.float64) / sizes
    return Layers(names, rms, [int(step) for step in norms.step])


def _is_scale(name: str, sizes: dict[str, int]) -> bool:
    """Whether a weight is as small as a bias: one number a channel, as normalisations have."""
    return sizes[name] ** 2 < max(sizes.values())


def early_to_late(layers: Layers) -> float:
    """Return how large the gradients of the first quarter are against those of the last: a ratio.

    Each is the median over its weights, then over snapshots. NaN where it cannot be told.
    """
    quarter = max(1, len(layers.names) // 4)
    rms = np.where((layers.rms > 0) & np.isfinite(layers.rms), layers.rms, np.nan)
    ratios = [
        np.median(row[:quarter]) / np.median(row[-quarter:])
        for row in rms
        if np.isfinite(row[:quarter]).all() and np.isfinite(row[-quarter:]).all()
    ]
    return float(np.median(ratios)) if ratios else float("nan")


def trainable(history: History) -> dict[str, bool]:
    """Return by parameter name whether it is to be trained, as far as the record tells."""
    return {
        parameter["name"]: bool(parameter.get("trainable", True))
        for model in history.run.get("models", [])
        for parameter in model.get("parameters", [])
    }


def listed(names: list[str], most: int = 4) -> str:
    """Return names in a row, the first few of many."""
    more = f" and {len(names) - most} more" if len(names) > most else ""
    return ", ".join(names[:most]) + more


def first_and_last(series: VectorSeries) -> tuple[int, int]:
    """Return the steps of a vector's first and last snapshot."""
    return int(series.step[0]), int(series.step[-1])
