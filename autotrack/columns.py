"""One event file as columns: the values of each tag, and the events they stand in."""

from __future__ import annotations

import json
import math
from array import array
from collections import defaultdict
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any, NamedTuple

import numpy as np

from autotrack.eventcodec import (
    HPARAMS_PLUGIN,
    SESSION_TAG,
    TEXT_PLUGIN,
    array_from_tensor,
    hyperparameters,
    texts_from_tensor,
)
from autotrack.eventfile import read_events
from autotrack.records import EMPTY_HISTOGRAM, Histogram
from autotrack.scalarevent import HIDDEN_PLUGIN

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator
    from pathlib import Path

    from numpy.typing import NDArray

    from autotrack.eventfile import EventReader

_EVENTS_BETWEEN_NEWS = 2000


class Points(NamedTuple):
    """Numbers of one kind: the index of the event that each stands in, and its value."""

    events: array[int]
    values: array[float]


class Marks(NamedTuple):
    """Epochs of one stream: their numbers, and the step at which each begins."""

    epochs: array[int]
    steps: array[int]


class Vector(NamedTuple):
    """One number a parameter, of the event with index `event`."""

    event: int
    values: NDArray[np.float32]
    names: list[str]


class Matrix(NamedTuple):
    """Whole numbers in the rows and columns of a square, of the event with index `event`."""

    event: int
    counts: NDArray[np.int64]


@dataclass
class Columns:
    """What one event file holds.

    `x` and `time` have one entry an event; everything else refers to events by their index.
    `steps`, `epochs`, `skipped` and `trainings` are by stream ("" for none), `matrices` and `modes`
    by phase, `intervals` by the part that was recorded less often. `shards` has, by the tag of a
    norm, what one of several processes knows of it: the norm of its shards, that of whole tensors,
    and how many processes there are.
    """

    x: array[int] = field(default_factory=lambda: array("q"))
    time: array[float] = field(default_factory=lambda: array("d"))
    scalars: dict[str, Points] = field(
        default_factory=lambda: defaultdict(lambda: Points(array("q"), array("f")))
    )
    histograms: dict[str, dict[int, Histogram]] = field(default_factory=lambda: defaultdict(dict))
    nonfinite: dict[str, dict[int, tuple[int, int, int]]] = field(
        default_factory=lambda: defaultdict(dict)
    )
    vectors: dict[str, list[Vector]] = field(default_factory=lambda: defaultdict(list))
    texts: dict[str, list[tuple[int, str]]] = field(default_factory=lambda: defaultdict(list))
    steps: dict[str, dict[int, int]] = field(default_factory=lambda: defaultdict(dict))
    epochs: dict[str, Marks] = field(
        default_factory=lambda: defaultdict(lambda: Marks(array("q"), array("q")))
    )
    parameters: dict[str, list[str]] = field(default_factory=dict)
    shards: dict[str, dict[int, tuple[float, float, int]]] = field(
        default_factory=lambda: defaultdict(dict)
    )
    matrices: dict[str, list[Matrix]] = field(default_factory=lambda: defaultdict(list))
    skipped: dict[str, list[int]] = field(default_factory=lambda: defaultdict(list))
    trainings: dict[str, list[int]] = field(default_factory=lambda: defaultdict(list))
    intervals: dict[str, Points] = field(
        default_factory=lambda: defaultdict(lambda: Points(array("q"), array("f")))
    )
    modes: dict[str, Points] = field(
        default_factory=lambda: defaultdict(lambda: Points(array("q"), array("f")))
    )
    cost: dict[str, Any] = field(default_factory=dict)
    run: dict[str, Any] = field(default_factory=dict)
    coverage: dict[str, Any] = field(default_factory=dict)
    truncated: int = 0
    plugins: dict[str, str] = field(default_factory=dict)


def read_columns(path: Path, progress: Callable[[int], None] | None = None) -> Columns:
    """Read one event file up to its end or the first damaged record; raises OSError.

    `progress` is told now and then how many bytes have been read since it was told last.
    """
    columns = Columns()
    reader = read_events(path)
    events = reader if progress is None else _told(reader, progress)
    scalars = columns.scalars
    for index, event in enumerate(events):
        columns.x.append(event.step)
        columns.time.append(event.wall_time)
        for value in event.summary.value:
            # asking for this field alone is half the price of asking which one is set
            if value.HasField("simple_value"):
                points = scalars[value.tag]
                points.events.append(index)
                points.values.append(value.simple_value)
            else:
                _take(columns, index, value)
    columns.truncated = reader.truncated
    return columns


def _told(reader: EventReader, progress: Callable[[int], None]) -> Iterator[Any]:
    """The events of a reader, with its progress told."""
    left = reader.path.stat().st_size
    for index, event in enumerate(reader):
        yield event
        if index % _EVENTS_BETWEEN_NEWS == 0:
            progress(left - reader.truncated)
            left = reader.truncated
    progress(left)


def _take(columns: Columns, index: int, value: Any) -> None:
    """Take any value but a plain number; images, audio and what is unknown are left out."""
    kind = value.WhichOneof("value")
    # writers may state the plugin of a tag in its first event only
    plugin = value.metadata.plugin_data.plugin_name or columns.plugins.get(value.tag, "")
    columns.plugins[value.tag] = plugin
    if kind == "histo":
        columns.histograms[value.tag][index] = _histogram(value.histo)
    elif plugin == HPARAMS_PLUGIN:
        _take_hyperparameters(columns, value)
    elif kind == "tensor" and plugin in _TENSOR_READERS:
        _TENSOR_READERS[plugin](columns, index, value.tag, value.tensor)


def _histogram(proto: Any) -> Histogram:
    return Histogram(
        np.array(proto.bucket_limit),
        np.array(proto.bucket),
        proto.min,
        proto.max,
        int(proto.num),
        proto.sum,
        proto.sum_squares,
    )


def _take_hyperparameters(columns: Columns, value: Any) -> None:
    if value.tag == SESSION_TAG:
        settings = hyperparameters(value.metadata.plugin_data.content)
        columns.run.setdefault("config", settings)


def _take_scalar_tensor(columns: Columns, index: int, tag: str, tensor: Any) -> None:
    numbers = array_from_tensor(tensor)
    if numbers is not None and numbers.size == 1:
        columns.scalars[tag].events.append(index)
        columns.scalars[tag].values.append(float(numbers.item()))


def _take_histogram_tensor(columns: Columns, index: int, tag: str, tensor: Any) -> None:
    """Rows of left edge, right edge and count (TensorBoard's histogram plugin)."""
    rows = array_from_tensor(tensor)
    if rows is None or rows.shape[1:] != (3,):
        return
    left, right, counts = rows.astype(np.float64).T
    number = int(counts.sum())
    if not number:
        columns.histograms[tag][index] = EMPTY_HISTOGRAM
        return
    histogram = Histogram(right, counts, left[0], right[-1], number, np.nan, np.nan)
    columns.histograms[tag][index] = histogram


def _take_text(columns: Columns, index: int, tag: str, tensor: Any) -> None:
    columns.texts[tag].append((index, "\n".join(texts_from_tensor(tensor))))


class _Hidden(NamedTuple):
    """A value of autotrack's own, with tag `autotrack/<kind>` or `autotrack/<kind>/<about>`.

    `about` is a stream or another tag.
    """

    event: int
    about: str
    tensor: Any


def _take_hidden(columns: Columns, index: int, tag: str, tensor: Any) -> None:
    kind, _, about = tag.removeprefix("autotrack/").partition("/")
    if kind in _HIDDEN_READERS:
        _HIDDEN_READERS[kind](columns, _Hidden(index, about, tensor))
        return
    numbers = array_from_tensor(tensor)
    if numbers is not None and numbers.ndim == 1:
        names = _names(columns, about, len(numbers))
        columns.vectors[tag].append(Vector(index, numbers.astype(np.float32), names))


def _names(columns: Columns, stream: str, size: int) -> list[str]:
    """The parameters of a stream's next vector; numbered where the file does not name them."""
    if len(columns.parameters.get(stream, [])) != size:
        columns.parameters[stream] = [str(index) for index in range(size)]
    return columns.parameters[stream]


def _take_run(columns: Columns, hidden: _Hidden) -> None:
    columns.run.update(json.loads(texts_from_tensor(hidden.tensor)[0]))


def _take_coverage(columns: Columns, hidden: _Hidden) -> None:
    columns.coverage = json.loads(texts_from_tensor(hidden.tensor)[0])


def _take_parameters(columns: Columns, hidden: _Hidden) -> None:
    columns.parameters[hidden.about] = texts_from_tensor(hidden.tensor)


def _take_epoch(columns: Columns, hidden: _Hidden) -> None:
    marks = columns.epochs[hidden.about]
    marks.epochs.append(_integer(hidden.tensor))
    marks.steps.append(columns.x[hidden.event])


def _take_step(columns: Columns, hidden: _Hidden) -> None:
    columns.steps[hidden.about][hidden.event] = _integer(hidden.tensor)


def _take_cost(columns: Columns, hidden: _Hidden) -> None:
    columns.cost = json.loads(texts_from_tensor(hidden.tensor)[0])


def _take_interval(columns: Columns, hidden: _Hidden) -> None:
    _append(columns.intervals[hidden.about], hidden)


def _take_mode(columns: Columns, hidden: _Hidden) -> None:
    _append(columns.modes[hidden.about], hidden)


def _append(points: Points, hidden: _Hidden) -> None:
    points.events.append(hidden.event)
    points.values.append(_integer(hidden.tensor))


def _take_skipped(columns: Columns, hidden: _Hidden) -> None:
    columns.skipped[hidden.about].append(hidden.event)


def _take_training(columns: Columns, hidden: _Hidden) -> None:
    columns.trainings[hidden.about].append(hidden.event)


def _take_nonfinite(columns: Columns, hidden: _Hidden) -> None:
    nan, positive, negative = np.asarray(array_from_tensor(hidden.tensor)).tolist()
    columns.nonfinite[hidden.about][hidden.event] = (nan, positive, negative)


def _take_shards(columns: Columns, hidden: _Hidden) -> None:
    shards, whole, processes = np.asarray(array_from_tensor(hidden.tensor)).tolist()
    columns.shards[hidden.about][hidden.event] = (shards, whole, int(processes))


def _take_confusion(columns: Columns, hidden: _Hidden) -> None:
    """Counts below zero say that there is no matrix for this pass."""
    numbers = array_from_tensor(hidden.tensor)
    classes = math.isqrt(numbers.size) if numbers is not None else 0
    if numbers is None or not classes or classes**2 != numbers.size or numbers.min() < 0:
        return
    counts = numbers.astype(np.int64).reshape(classes, classes)
    columns.matrices[hidden.about].append(Matrix(hidden.event, counts))


def _integer(tensor: Any) -> int:
    return int(np.asarray(array_from_tensor(tensor)).item())


_TENSOR_READERS: dict[str, Callable[[Columns, int, str, Any], None]] = {
    "scalars": _take_scalar_tensor,
    "histograms": _take_histogram_tensor,
    TEXT_PLUGIN: _take_text,
    HIDDEN_PLUGIN: _take_hidden,
}
_HIDDEN_READERS: dict[str, Callable[[Columns, _Hidden], None]] = {
    "run": _take_run,
    "coverage": _take_coverage,
    "parameters": _take_parameters,
    "epoch": _take_epoch,
    "step": _take_step,
    "skipped": _take_skipped,
    "training": _take_training,
    "cost": _take_cost,
    "interval": _take_interval,
    "mode": _take_mode,
    "nonfinite": _take_nonfinite,
    "shards": _take_shards,
    "confusion": _take_confusion,
}
