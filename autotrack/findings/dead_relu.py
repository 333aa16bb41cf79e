"""Units that never let a gradient through, as a ReLU does whose input is always negative.

SageMaker Debugger's `dead_relu` speaks when half of a layer's units are dead (`threshold_layer`,
50 %), each being active for less than 1 % of its inputs; here a unit counts when it had no gradient
at four snapshots in a row.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np

from autotrack.findings._finding import Evidence, Finding
from autotrack.findings._layers import listed
from autotrack.findings._record import vectors_by_stream

if TYPE_CHECKING:
    from collections.abc import Iterator

    from autotrack.history import History
    from autotrack.series import VectorSeries

EXPLAINS = ("frozen-parameters", "plateau", "vanishing-gradients")

# The record looks back over four snapshots: from the fourth on its shares mean what they say.
FEWEST_SNAPSHOTS = 4
LAST = 2
# Of the units of a layer.
DEAD = 0.5
NEARLY_ALL = 0.9
# The output layer has gradients as long as there is something left to learn.
OUTPUT = 0.5


def find(history: History) -> Iterator[Finding]:
    """Find layers with many dead units."""
    for stream, series in vectors_by_stream(history, "zero_gradient_rows"):
        if len(series) < FEWEST_SNAPSHOTS or not _output_learns(series):
            continue
        shares = _by_layer(series)
        dead = {layer: share for layer, share in shares.items() if share >= DEAD}
        if not dead:
            continue
        worst = max(dead.values())
        told = [f"{layer} {100 * share:.0f} %" for layer, share in dead.items()]
        text = f"share of units without gradient at four snapshots in a row: {listed(told)}"
        layers = "1 layer" if len(dead) == 1 else f"{len(dead)} layers"
        yield Finding(
            "dead-relu",
            "problem" if worst >= NEARLY_ALL else "warning",
            f"Up to {100 * worst:.0f} % of the units of {layers} are dead",
            "No gradient reaches these units from any sample: their ReLU is always at zero, or "
            "nothing uses what comes out of them. A part of the model is lost.",
            (
                "lower the learning rate, or warm it up: one large step can kill units",
                "use LeakyReLU, GELU or SiLU, which let a little gradient through",
                "look at the initialisation of the biases, and normalise the inputs",
                "without a ReLU behind them: look whether what comes out of these units is used",
            ),
            (
                Evidence(
                    series.tag,
                    text,
                    int(series.step[-LAST]),
                    int(series.step[-1]),
                    None,
                    worst,
                ),
            ),
            stream,
        )


def _output_learns(series: VectorSeries) -> bool:
    """Whether the last layer gets gradients: a loss that is exactly zero gives none to any."""
    known = [c for c in range(len(series.names)) if not np.isnan(series.value[-LAST:, c]).any()]
    return bool(known) and float(series.value[-LAST:, known[-1]].max()) < OUTPUT


def _by_layer(series: VectorSeries) -> dict[str, float]:
    """Return the share of dead units of each layer: the least of its parameters' at the end."""
    shares: dict[str, float] = {}
    for column, name in enumerate(series.names):
        values = series.value[-LAST:, column]
        if not np.isnan(values).any():
            layer = name.rpartition(".")[0] or name
            shares[layer] = min(shares.get(layer, 1.0), float(values.min()))
    return shares
