"""A loop that waits for its data.

The shares were chosen by what can be gained: with half of the time spent waiting, a faster loader
can double the speed.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np

from autotrack.findings._finding import Evidence, Finding
from autotrack.findings._record import by_stream, finite

if TYPE_CHECKING:
    from collections.abc import Iterator

    from autotrack.history import History

# Points, each of about a second, besides the first, which has the start of workers in it.
FEWEST = 3
# Percent of the time between steps.
HALF = 50.0
THIRD = 30.0


def find(history: History) -> Iterator[Finding]:
    """Find a training that spends much of its time in the loader."""
    for stream, series in by_stream(history, "Throughput/loader_wait"):
        y = finite(series)[1:]
        if len(y) < FEWEST:
            continue
        share = float(np.median(y))
        if share < THIRD:
            continue
        text = f"{share:.0f} % of the time between steps is spent waiting in the loader"
        yield Finding(
            "input-bound",
            "warning" if share >= HALF else "note",
            f"The loop waits for data {share:.0f} % of the time",
            "The model is idle while the next batch is read and prepared: a faster loader makes "
            "the training faster, a faster device does not.",
            (
                "give the DataLoader more workers (num_workers) and persistent_workers=True",
                "move work out of __getitem__: decode, resize and tokenise once, beforehand",
                "with a GPU, use pin_memory=True and non_blocking=True",
            ),
            (Evidence(series.tag, text, int(series.step[0]), int(series.step[-1]), None, share),),
            stream,
        )
        return
