"""The last of several trainings that follow each other in a run: folds, seeds, settings tried.

A loss that begins anew with a new model is no loss that rose again.
"""

from __future__ import annotations

from dataclasses import fields, replace
from typing import TYPE_CHECKING, Any, TypeVar

import numpy as np

from autotrack.findings._record import by_stream
from autotrack.series import VectorSeries

if TYPE_CHECKING:
    from numpy.typing import NDArray

    from autotrack.history import History
    from autotrack.series import ConfusionSeries, HistogramSeries, Series

    AnySeries = TypeVar("AnySeries", Series, HistogramSeries, VectorSeries, ConfusionSeries)

# Points of these are at the ends of passes, with the steps completed by then; others before a step.
_PASSES = ("Loss/", "Accuracy/", "R2/", "MAE/")
_STEPS = "Loss/train/"


def trainings(history: History) -> int:
    """Return how many trainings follow each other in a run: of each of its streams as many."""
    later = [len(history.trainings.get(s, ())) for s, _ in by_stream(history, "Loss/train")]
    return 1 + min(later, default=0)


def last_training(history: History) -> History:
    """Return what a record holds of the last training; all of it where there is only one."""
    if trainings(history) == 1:
        return history
    starts = {stream: int(steps[-1]) for stream, steps in history.trainings.items()}
    return replace(
        history,
        series=_of(history.series, starts),
        histograms=_of(history.histograms, starts),
        vectors=_of(history.vectors, starts),
        confusion=_of(history.confusion, starts, passes=True),
        skipped={s: steps[steps >= starts.get(s, 0)] for s, steps in history.skipped.items()},
        modes=_of(history.modes, starts),
        _epoch_starts={
            stream: _epochs(*history.epoch_starts(stream), _start(stream, starts))
            for stream in ("", *history.streams)
        },
    )


def _epochs(
    numbers: NDArray[np.int64], steps: NDArray[np.int64], start: int
) -> tuple[NDArray[np.int64], NDArray[np.int64]]:
    return numbers[steps >= start], steps[steps >= start]


def _of(
    known: dict[str, AnySeries], starts: dict[str, int], *, passes: bool = False
) -> dict[str, AnySeries]:
    kept = {
        tag: _from(series, _start(tag, starts) + (passes or _is_of_passes(tag)))
        for tag, series in known.items()
    }
    return {tag: series for tag, series in kept.items() if len(series)}


def _is_of_passes(tag: str) -> bool:
    return tag.startswith(_PASSES) and not f"{tag}/".startswith(_STEPS)


def _start(tag: str, starts: dict[str, int]) -> int:
    """Return where the last training of a tag's stream begins, or of any where it names none."""
    own = [start for stream, start in starts.items() if stream and stream in tag.split("/")]
    return own[0] if own else max(starts.values())


def _from(series: AnySeries, start: int) -> AnySeries:
    """Return the points from a number of completed steps on."""
    kept = np.flatnonzero(series.step >= start)
    cut: dict[str, Any] = {}
    for field in fields(series):
        values = getattr(series, field.name)
        if isinstance(values, np.ndarray):
            cut[field.name] = values[kept]
        elif field.name in ("limits", "counts"):
            cut[field.name] = [values[index] for index in kept]
    if isinstance(series, VectorSeries):
        cut |= _without_old_columns(series, kept)
    return replace(series, **cut)


def _without_old_columns(series: VectorSeries, kept: NDArray[np.int64]) -> dict[str, Any]:
    """Leave out the parameters of earlier models: known before, and in none of the points kept."""
    known = ~np.isnan(series.value)
    earlier = np.delete(known, kept, axis=0)
    columns = np.flatnonzero(known[kept].any(axis=0) | ~earlier.any(axis=0))
    names = [series.names[column] for column in columns]
    return {"value": series.value[kept][:, columns], "names": names}
