"""What rules ask about parameters, in their order: from the input's side to the output's."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np

from autotrack.findings._record import Floats, tag

if TYPE_CHECKING:
    from autotrack.history import History
    from autotrack.series import VectorSeries


_FIRST, _MOST = 2, 200
# So many weights may have larger gradients for no more than what goes into them.
_INPUT = 2


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
    # The first ones, and of many no more than tell the middle.
    even = np.linspace(0, len(norms) - 1, min(_MOST, len(norms))).round().astype(np.int64)
    rows = np.unique([*range(min(_FIRST, len(norms))), *even])
    rms: Floats = norms.value[rows][:, columns].astype(np.float64) / sizes
    return Layers(names, rms, norms.step[rows].tolist())


def _is_scale(name: str, sizes: dict[str, int]) -> bool:
    """Whether a weight is as small as a bias: one number a channel, as normalisations have."""
    return sizes[name] ** 2 < max(sizes.values())


def early_to_late(layers: Layers) -> Floats:
    """Return how large the gradients of the first quarter are against those of the last.

    A ratio of the medians over their weights, of shape [snapshots]; NaN where it cannot be told.
    """
    rms, quarter = _shown(layers), _quarter(layers)
    ratios: Floats = np.median(rms[:, :quarter], axis=1) / np.median(rms[:, -quarter:], axis=1)
    return ratios


def least_to_late(layers: Layers) -> tuple[Floats, int]:
    """Return the same for the quarter at the input with the smallest gradients, and its beginning.

    Where gradients vanish on the way back, inputs of a far larger scale can make those of the very
    first weights large again, so that these may be left out. Not more: in an hourglass (a U-Net)
    they are smallest half way, and the first weights get as much as the last.
    """
    rms, quarter = _shown(layers), _quarter(layers)
    number = min(rms.shape[1] - quarter, _INPUT) + 1
    medians = np.stack([np.median(rms[:, i : i + quarter], axis=1) for i in range(number)], axis=1)
    ratios: Floats = medians / np.median(rms[:, -quarter:], axis=1, keepdims=True)
    known = np.isfinite(ratios).all(axis=1)
    typical = np.median(ratios[known], axis=0) if known.any() else np.ones(number)
    return np.min(ratios, axis=1), int(typical.argmin())


def _shown(layers: Layers) -> Floats:
    return np.where((layers.rms > 0) & np.isfinite(layers.rms), layers.rms, np.nan)


def _quarter(layers: Layers) -> int:
    return max(1, len(layers.names) // 4)


def middle(ratios: Floats) -> float:
    """Return the median of what is known; NaN where nothing is."""
    known = ratios[np.isfinite(ratios)]
    return float(np.median(known)) if len(known) else float("nan")


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
