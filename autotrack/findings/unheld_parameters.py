"""An optimizer that does not hold the parameters that are trained.

Decided by what the record says of gradients and of the models' parameters: there is no threshold.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import numpy as np

from autotrack.findings._finding import Evidence, Finding
from autotrack.findings._layers import listed
from autotrack.findings._record import by_stream

if TYPE_CHECKING:
    from collections.abc import Iterator

    from autotrack.history import History

EXPLAINS = (
    "frozen-parameters",
    "not-learning",
    "plateau",
    "underfitting",
    "update-ratio-small",
)

# Snapshots at which no parameter had a gradient.
FEWEST = 2


def find(history: History) -> Iterator[Finding]:
    """Find optimizers whose parameters get no gradient, and parameters that none holds."""
    empty = list(_without_gradient(history))
    yield from empty
    if not empty:
        yield from _partly_held(history)


def _without_gradient(history: History) -> Iterator[Finding]:
    # Where snapshots were taken the norms are in the record, unless there was no gradient at all.
    norms = {stream for stream, _ in by_stream(history, "GradNorm/total")}
    losses = dict(by_stream(history, "Loss/train"))
    for stream, ratios in by_stream(history, "UpdateRatio/total"):
        rows = history.vectors.get(
            "autotrack/zero_gradient_rows" + (f"/{stream}" if stream else "")
        )
        if stream in norms or stream not in losses or rows is None or len(rows) < FEWEST:
            continue
        if not np.isnan(rows.value).all() or (ratios.value != 0).any():
            continue
        text = f"no parameter of the optimizer had a gradient at any of {len(rows)} snapshots"
        yield Finding(
            "unheld-parameters",
            "problem",
            "No gradient reaches what the optimizer holds",
            "Losses went backward and the optimizer stepped, but none of its parameters got a "
            "gradient: it holds other tensors than the model that makes the loss, or the loss is "
            "cut off from the model.",
            (
                "make the optimizer from the very model that is trained, after it is final",
                "look for detach(), .item() or torch.tensor(...) between model and backward()",
            ),
            (Evidence(rows.tag, text, int(rows.step[0]), int(rows.step[-1])),),
            stream,
        )


def _partly_held(history: History) -> Iterator[Finding]:
    for model in history.run.get("models", []):
        parameters: list[dict[str, Any]] = model.get("parameters", [])
        held = [p for p in parameters if p.get("optimizer") is not None]
        unheld = [
            str(p["name"])
            for p in parameters
            if p.get("optimizer", "") is None and p.get("trainable") and p.get("gradient", True)
        ]
        if not held or not unheld:
            # A model that no optimizer touches may be a teacher or a target; so may a part of one
            # that no gradient reaches, an average of the rest say.
            continue
        number = "1 parameter is" if len(unheld) == 1 else f"{len(unheld)} parameters are"
        yield Finding(
            "unheld-parameters",
            "warning",
            f"{number} in no optimizer",
            "Gradients reach them, and no optimizer holds them, so that they stay as they were "
            "initialised.",
            (
                "give them to the optimizer (a layer added later, a list that is no ModuleList?)",
                "if they are meant to stay, set requires_grad=False: that saves time",
            ),
            (Evidence("autotrack/run", f"in no optimizer: {listed(unheld)}", value=len(unheld)),),
        )
