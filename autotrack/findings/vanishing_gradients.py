"""Gradients that get smaller and smaller towards the input.

That depth multiplies gradients, and so makes them vanish, is from Glorot and Bengio (AISTATS 2010).
The ratio of a thousandth is that of AutoTrainer (`beta_1` in its repository), which compares the
norms of the first and the last layer.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from autotrack.findings._finding import Evidence, Finding
from autotrack.findings._layers import least_to_late, middle, weight_gradients
from autotrack.findings._record import say, streams
from autotrack.findings._training import is_stuck

if TYPE_CHECKING:
    from collections.abc import Iterator

    from autotrack.history import History

EXPLAINS = ("not-learning", "plateau", "underfitting", "update-ratio-small")

# Of fewer weights in a row there is no depth to speak of.
FEWEST_WEIGHTS = 4
# The smallest gradients of a quarter of the weights at the input, against the last quarter's.
RATIO = 1e-3
# Snapshots at the start that count by themselves, of a run with twice as many.
FIRST = 2


def find(history: History) -> Iterator[Finding]:
    """Find streams with weights that get far smaller gradients than their last, or did at first."""
    for stream in streams(history):
        layers = weight_gradients(history, stream)
        if layers is None or len(layers.names) < FEWEST_WEIGHTS:
            continue
        ratios, place = least_to_late(layers)
        ratio, since = middle(ratios), layers.steps[-1]
        if not ratio < RATIO:
            at_first = ratios[:FIRST]
            if len(ratios) < 2 * FIRST or not (at_first < RATIO).all():
                continue
            ratio, since = float(at_first.max()), layers.steps[FIRST - 1]
        when = "" if since == layers.steps[-1] else f" at the start, until step {since:,} at least"
        text = (
            f"gradients around {layers.names[place]} are {say(1 / ratio)} times smaller than those "
            f"of {layers.names[-1]}{when}"
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
                    since,
                    None,
                    ratio,
                ),
            ),
            stream,
        )
