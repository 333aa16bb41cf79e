"""Gradients that get smaller and smaller towards the input.

That depth multiplies gradients, and so makes them vanish, is from Glorot and Bengio (AISTATS 2010).
SageMaker Debugger's `vanishing_gradient` takes a mean gradient below 1e-7 for vanished; the ratio
between first and last weights was checked on our own benchmark.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np

from autotrack.findings._finding import Evidence, Finding
from autotrack.findings._layers import early_to_late, weight_gradients
from autotrack.findings._record import say, streams
from autotrack.findings._training import is_stuck

if TYPE_CHECKING:
    from collections.abc import Iterator

    from autotrack.history import History

EXPLAINS = ("not-learning", "plateau", "underfitting", "update-ratio-small")

# Of fewer weights in a row there is no depth to speak of.
FEWEST_WEIGHTS = 4
# The first quarter's gradients against the last quarter's. An embedding of rare words is at 1e-2.
RATIO = 1e-4
# Where gradients are that small as well, a milder ratio does.
VANISHED = 1e-7
MILD_RATIO = 1e-3


def find(history: History) -> Iterator[Finding]:
    """Find streams whose first weights get far smaller gradients than their last."""
    for stream in streams(history):
        layers = weight_gradients(history, stream)
        if layers is None or len(layers.names) < FEWEST_WEIGHTS:
            continue
        ratio = early_to_late(layers)
        first = float(np.nanmedian(np.where(layers.rms[:, 0] > 0, layers.rms[:, 0], np.nan)))
        if not (ratio < RATIO or (ratio < MILD_RATIO and first < VANISHED)):
            continue
        text = (
            f"gradients of {layers.names[0]} are {say(1 / ratio)} times smaller than those of "
            f"{layers.names[-1]} (root mean square {say(first)})"
        )
        yield Finding(
            "vanishing-gradients",
            "problem" if is_stuck(history, stream) else "warning",
            "Gradients vanish towards the input",
            "Each layer on the way back makes the gradient smaller, so that the first layers "
            "hardly learn, whatever the last ones do.",
            (
                "use ReLU-like activations in place of sigmoid or tanh",
                "add normalisation or skip connections",
                "initialise for the activation in use (Kaiming for ReLU, Xavier for tanh)",
            ),
            (
                Evidence(
                    "autotrack/gradient_norm",
                    text,
                    layers.steps[0],
                    layers.steps[-1],
                    None,
                    ratio,
                ),
            ),
            stream,
        )
