"""What rules ask of a record: series by stream, evaluation phases, values as words."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np
from numpy.typing import NDArray

if TYPE_CHECKING:
    from collections.abc import Iterator

    from autotrack.history import History
    from autotrack.series import HistogramSeries, Series, VectorSeries

Floats = NDArray[np.float64]

#: Names below `Loss/` and `Accuracy/` that are no evaluation phases.
_TRAINING = ("train", "train_epoch")
INITIAL = "_initial"
# From here to there, numbers are told in full; beyond, with an exponent.
_LARGE, _PLAIN = 1e3, 1e6


def streams(history: History) -> list[str]:
    """Return the names of the streams, [""] for a single one."""
    return history.streams or [""]


def tag(name: str, stream: str) -> str:
    """Return the tag of a stream's series, such as `Loss/train/opt_g`."""
    return f"{name}/{stream}" if stream else name


def by_stream(history: History, name: str) -> Iterator[tuple[str, Series]]:
    """Yield each stream that has a series of this name, with it."""
    for stream in streams(history):
        series = history.get(tag(name, stream))
        if series is not None and len(series):
            yield stream, series


def vectors_by_stream(history: History, name: str) -> Iterator[tuple[str, VectorSeries]]:
    """Yield each stream that has vectors of this name (`update_ratio`), with them."""
    for stream in streams(history):
        series = history.vectors.get(tag(f"autotrack/{name}", stream))
        if series is not None and len(series):
            yield stream, series


def histograms(history: History, family: str) -> Iterator[tuple[str, HistogramSeries]]:
    """Yield each parameter that has histograms in a family (`Weights`), with them."""
    for name, series in history.histograms.items():
        if name.startswith(f"{family}/") and len(series):
            yield name.partition("/")[2], series


def phases(history: History, quantity: str) -> list[tuple[str, Series]]:
    """Return the evaluation phases that have a quantity such as `Loss`, with their series.

    Training passes, evaluations before training, parts of a loss and an evaluation of the training
    data itself (`train_eval`) are none.
    """
    found = []
    for name, series in history.items():
        group, _, phase = name.partition("/")
        is_one = phase and "/" not in phase and phase not in _TRAINING
        if group == quantity and is_one and not phase.endswith(INITIAL) and len(series):
            found.append((phase, series))
    return [(phase, series) for phase, series in found if not phase.startswith("train_eval")]


def finite(series: Series) -> Floats:
    """Return the values in double precision, those that are not finite left out."""
    values = series.value.astype(np.float64)
    return values[np.isfinite(values)]


def finite_between(series: Series, first: int, last: int | None) -> Floats:
    """Return the finite values from one step to another, both included; `None` is the end."""
    until = series.step <= last if last is not None else np.ones(len(series), bool)
    values = series.value[(series.step >= first) & until].astype(np.float64)
    return values[np.isfinite(values)]


def mode_counts(history: History) -> dict[str, tuple[int, int, int]]:
    """Return by phase how often in training mode, how often in `eval()`, and which was last.

    The coverage stands at the end of a run only; of one that was killed the passes tell. Training
    is one phase, however many optimizers it has.
    """
    known: dict[str, tuple[int, int, int]] = {}
    for name, s in history.modes.items():
        phase = "train" if name.startswith("train/") else name
        training, evaluating, last = known.get(phase, (0, 0, 0))
        known[phase] = (
            training + int(s.value.sum()),
            evaluating + int((s.value == 0).sum()),
            max(last, int(s.value[-1])),
        )
    for phase, counts in history.coverage.get("modes", {}).items():
        training, evaluating, last = (*counts, 0, 0, 0)[:3]
        known[phase] = (training, evaluating, last)
    return known


def say(value: float) -> str:
    """Return a number in a few characters, three digits exact."""
    text = f"{value:,.0f}" if _LARGE <= abs(value) < _PLAIN else f"{value:.3g}"
    if "e" in text:
        mantissa, _, exponent = text.partition("e")
        return f"{mantissa}e{int(exponent)}"
    return text


def moment(series: Series | VectorSeries | HistogramSeries, index: int) -> str:
    """Return where a point stands, in words: `epoch 4` or `step 1200`."""
    epoch = int(series.epoch[index])
    return f"epoch {epoch}" if epoch >= 0 else f"step {int(series.step[index])}"
