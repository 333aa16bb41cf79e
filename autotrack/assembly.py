"""Columns of several event files put together into one series a tag."""

from __future__ import annotations

from typing import TYPE_CHECKING, NamedTuple

import numpy as np

from autotrack.placement import Placement
from autotrack.records import EMPTY_HISTOGRAM
from autotrack.series import ConfusionSeries, HistogramSeries, Series, VectorSeries

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Iterator

    from numpy.typing import NDArray

    from autotrack.columns import Columns, Points, Vector


class Part:
    """One event file: its `columns`, and the `placement` of its events."""

    def __init__(self, columns: Columns) -> None:
        self.columns = columns
        self.placement = Placement(columns)


class _Places(NamedTuple):
    """Where the points of a tag stand, all files together; every array has shape [n]."""

    x: NDArray[np.int64]
    step: NDArray[np.int64]
    epoch: NDArray[np.int64]
    time: NDArray[np.float64]


def scalar_series(parts: list[Part]) -> dict[str, Series]:
    """The series of all scalar tags, in the order of their first points."""
    tags = _distinct(tag for part in parts for tag in part.columns.scalars)
    return {tag: _scalars(tag, parts) for tag in tags}


def histogram_series(parts: list[Part]) -> dict[str, HistogramSeries]:
    """The histograms of all tags, also of those that never had a finite value."""
    tags = _distinct(
        tag for part in parts for tag in (*part.columns.histograms, *part.columns.nonfinite)
    )
    return {tag: _histograms(tag, parts) for tag in tags}


def vector_series(parts: list[Part]) -> dict[str, VectorSeries]:
    """The vectors of all tags, with one column for each parameter that ever was in one."""
    tags = _distinct(tag for part in parts for tag in part.columns.vectors)
    return {tag: _vectors(tag, parts) for tag in tags}


def confusion_series(parts: list[Part]) -> dict[str, ConfusionSeries]:
    """The confusion matrices of all phases, of as many classes as the last one has."""
    phases = _distinct(phase for part in parts for phase in part.columns.matrices)
    return {phase: _matrices(phase, parts) for phase in phases}


def epoch_starts(parts: list[Part], stream: str) -> tuple[NDArray[np.int64], NDArray[np.int64]]:
    """Epoch numbers and first steps of a stream, one file after the other."""
    starts = [part.placement.epoch_starts(stream) for part in parts]
    return (
        np.concatenate([numbers for numbers, _ in starts]),
        np.concatenate([steps for _, steps in starts]),
    )


def interval_series(parts: list[Part]) -> dict[str, Series]:
    """Every how many-th step each part was recorded from a step on, by the part's name."""
    names = _distinct(name for part in parts for name in part.columns.intervals)
    return {name: _interval(name, parts) for name in names}


def mode_series(parts: list[Part]) -> dict[str, Series]:
    """Whether the model was in training mode (1) or in `eval()` (0), pass by pass, by phase."""
    phases = _distinct(phase for part in parts for phase in part.columns.modes)
    return {phase: _mode(phase, parts) for phase in phases}


def skipped_steps(parts: list[Part]) -> dict[str, NDArray[np.int64]]:
    """Where steps were skipped, by stream: the steps completed before each, shape [n]."""
    return _steps_by_stream(parts, [part.columns.skipped for part in parts])


def later_trainings(parts: list[Part]) -> dict[str, NDArray[np.int64]]:
    """Where trainings after the first begin, by stream: the first step of each, shape [n]."""
    return _steps_by_stream(parts, [part.columns.trainings for part in parts])


def _steps_by_stream(
    parts: list[Part], events: list[dict[str, list[int]]]
) -> dict[str, NDArray[np.int64]]:
    both = list(zip(parts, events, strict=True))
    return {
        stream: np.concatenate([part.placement.x[own.get(stream, [])] for part, own in both])
        for stream in _distinct(stream for own in events for stream in own)
    }


def _distinct(tags: Iterable[str]) -> Iterator[str]:
    return iter(dict.fromkeys(tags))


def _places(tag: str, parts: list[Part], events: list[NDArray[np.int64]]) -> _Places:
    """`events` has, for each part, the indices of the events that hold a point of the tag."""
    placed = [(part.placement, at) for part, at in zip(parts, events, strict=True)]
    return _Places(
        np.concatenate([placement.x[at] for placement, at in placed]),
        np.concatenate([placement.steps(tag)[at] for placement, at in placed]),
        np.concatenate([placement.epochs(tag)[at] for placement, at in placed]),
        np.concatenate([placement.time[at] for placement, at in placed]),
    )


def _scalars(tag: str, parts: list[Part]) -> Series:
    return _points(tag, parts, lambda columns: columns.scalars.get(tag))


def _interval(name: str, parts: list[Part]) -> Series:
    tag = f"autotrack/interval/{name}"
    return _points(tag, parts, lambda columns: columns.intervals.get(name))


def _mode(phase: str, parts: list[Part]) -> Series:
    return _points(f"autotrack/mode/{phase}", parts, lambda columns: columns.modes.get(phase))


def _points(tag: str, parts: list[Part], of: Callable[[Columns], Points | None]) -> Series:
    known = [(part, points) for part in parts if (points := of(part.columns)) is not None]
    events = [np.array(points.events, np.int64) for _, points in known]
    places = _places(tag, [part for part, _ in known], events)
    values = np.concatenate([np.array(points.values, np.float32) for _, points in known])
    return Series(tag, places.x, places.step, places.epoch, places.time, values)


def scalar_series_at(
    tag: str, parts: list[Part], events: list[NDArray[np.int64]], values: list[float]
) -> Series:
    """A series of `values` that stand at these events of each part."""
    places = _places(tag, parts, events)
    value = np.array(values, np.float32)
    return Series(tag, places.x, places.step, places.epoch, places.time, value)


def _histograms(tag: str, parts: list[Part]) -> HistogramSeries:
    events = [_histogram_events(tag, part.columns) for part in parts]
    at = [(part.columns, event) for part, own in zip(parts, events, strict=True) for event in own]
    found = [columns.histograms.get(tag, {}).get(event, EMPTY_HISTOGRAM) for columns, event in at]
    nonfinite = [columns.nonfinite.get(tag, {}).get(event, (0, 0, 0)) for columns, event in at]
    places = _places(tag, parts, events)
    return HistogramSeries(
        tag=tag,
        step=places.step,
        epoch=places.epoch,
        time=places.time,
        limits=[histogram.limits for histogram in found],
        counts=[histogram.counts for histogram in found],
        minimum=np.array([histogram.minimum for histogram in found]),
        maximum=np.array([histogram.maximum for histogram in found]),
        number=np.array([histogram.number for histogram in found], np.int64),
        total=np.array([histogram.total for histogram in found]),
        total_squares=np.array([histogram.total_squares for histogram in found]),
        nonfinite=np.array(nonfinite, np.int64).reshape(-1, 3),
    )


def _histogram_events(tag: str, columns: Columns) -> NDArray[np.int64]:
    # a tensor without any finite value has its counts of others only
    events = {*columns.histograms.get(tag, {}), *columns.nonfinite.get(tag, {})}
    return np.array(sorted(events), np.int64)


def _vectors(tag: str, parts: list[Part]) -> VectorSeries:
    vectors = [part.columns.vectors.get(tag, []) for part in parts]
    places = _places(tag, parts, [_vector_events(own) for own in vectors])
    value, names = _aligned([vector for own in vectors for vector in own])
    return VectorSeries(tag, places.step, places.epoch, places.time, value, names)


def _matrices(phase: str, parts: list[Part]) -> ConfusionSeries:
    last = [m for part in parts for m in part.columns.matrices.get(phase, [])][-1]
    own = [
        [m for m in part.columns.matrices.get(phase, []) if m.counts.shape == last.counts.shape]
        for part in parts
    ]
    events = [np.array([matrix.event for matrix in found], np.int64) for found in own]
    places = _places(f"autotrack/confusion/{phase}", parts, events)
    counts = np.stack([matrix.counts for found in own for matrix in found])
    return ConfusionSeries(phase, places.step, places.epoch, places.time, counts)


def _vector_events(vectors: list[Vector]) -> NDArray[np.int64]:
    return np.array([vector.event for vector in vectors], np.int64)


def _aligned(vectors: list[Vector]) -> tuple[NDArray[np.float32], list[str]]:
    """The vectors as rows, with a column for each name; NaN where a vector lacks it."""
    layouts = {id(vector.names): vector.names for vector in vectors}
    names = list(_distinct(name for layout in layouts.values() for name in layout))
    column = {name: index for index, name in enumerate(names)}
    columns = {key: [column[name] for name in layout] for key, layout in layouts.items()}
    value = np.full((len(vectors), len(names)), np.nan, np.float32)
    for row, vector in zip(value, vectors, strict=True):
        row[columns[id(vector.names)]] = vector.values
    return value, names
