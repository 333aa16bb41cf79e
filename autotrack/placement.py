"""Where the events of one file stand: the step and the epoch of each, stream by stream."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np

if TYPE_CHECKING:
    from numpy.typing import NDArray

    from autotrack.columns import Columns

UNKNOWN_EPOCH = -1


class Placement:
    """Step and epoch of a file's events, as the stream of a tag counts them.

    `x` and `time` are as recorded, one entry an event. An event that carries `autotrack/step` has
    an epoch as its x, unless the file has no epochs; any other has a step. A tag that belongs to no
    stream stands on the marks of no stream, else on those of the first. `streams` are the streams
    of the file in their order.
    """

    def __init__(self, columns: Columns) -> None:
        self._columns = columns
        self.x = np.array(columns.x, np.int64)
        self.time = np.array(columns.time, np.float64)
        named = [*columns.run.get("streams", []), *columns.epochs, *columns.steps]
        self.streams = list(dict.fromkeys(named))
        self._steps: dict[str, NDArray[np.int64]] = {}
        self._epochs: dict[str, NDArray[np.int64]] = {}

    def steps(self, tag: str) -> NDArray[np.int64]:
        """Completed optimizer steps of the tag's stream at every event; shape [events]."""
        stream = self.stream_of(tag)
        if stream not in self._steps:
            self._steps[stream] = self._all_steps(stream)
        return self._steps[stream]

    def epochs(self, tag: str) -> NDArray[np.int64]:
        """The epoch of every event as the tag's stream counts, -1 where unknown; shape [events]."""
        stream = self.stream_of(tag)
        if stream not in self._epochs:
            self._epochs[stream] = self._all_epochs(stream)
        return self._epochs[stream]

    def stream_of(self, tag: str) -> str:
        """The stream that a part of the tag names, "" where none does."""
        parts = tag.split("/")
        if len(parts) == 1:
            return ""
        # the group of a learning rate stands after the stream
        named = parts[-2] if parts[0] == "LearningRate" else parts[-1]
        return named if named in self.streams else ""

    def epoch_starts(self, stream: str) -> tuple[NDArray[np.int64], NDArray[np.int64]]:
        """Epoch numbers and first steps of a stream; for "" else those of the first stream."""
        marked = self._columns.epochs
        if not stream and stream not in marked:
            stream = next((name for name in self.streams if name in marked), stream)
        if stream not in marked:
            return np.empty(0, np.int64), np.empty(0, np.int64)
        epochs, steps = marked[stream]
        return np.array(epochs, np.int64), np.array(steps, np.int64)

    def _all_steps(self, stream: str) -> NDArray[np.int64]:
        steps = self.x.copy()
        # what is set last holds: the tag's own stream
        for name in [*reversed(self.streams), "", stream]:
            marked = self._columns.steps.get(name, {})
            steps[list(marked.keys())] = list(marked.values())
        return steps

    def _all_epochs(self, stream: str) -> NDArray[np.int64]:
        epochs = np.full(len(self.x), UNKNOWN_EPOCH, np.int64)
        numbers, starts = self.epoch_starts(stream)
        if len(numbers):
            current = np.searchsorted(starts, self.x, side="right") - 1
            epochs = np.where(current >= 0, numbers[current], UNKNOWN_EPOCH)
        for marked in self._columns.steps.values():
            at, done = list(marked), np.array(list(marked.values()), np.int64)
            # The pass of a training without epochs stands at the step that it ended with.
            by_steps = (self.x[at] == done) & (done > 0) & (not self._columns.epochs)
            epochs[at] = np.where(by_steps, UNKNOWN_EPOCH, self.x[at])
        return epochs
