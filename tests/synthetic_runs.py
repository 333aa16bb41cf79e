"""Runs made up for the figures: written with the record's own writer and read back."""

from __future__ import annotations

import json
from dataclasses import dataclass, field
from typing import TYPE_CHECKING

import numpy as np

from autotrack.eventfile import EventFileWriter
from autotrack.history import read
from autotrack.records import Histogram, Record

if TYPE_CHECKING:
    from pathlib import Path

    from autotrack.history import History


@dataclass
class MadeUpRun:
    """A run to be written: `epochs` of `length` steps each; no epochs when `epochs` is 0."""

    epochs: int = 0
    length: int = 0
    first_epoch: int = 0
    streams: tuple[str, ...] = ("",)
    facts: dict[str, object] = field(default_factory=dict)
    records: list[Record] = field(default_factory=list)

    def __post_init__(self) -> None:
        for index, stream in enumerate(self.streams):
            suffix = f"/{stream}" if stream else ""
            for epoch in range(self.epochs):
                mark = (f"autotrack/epoch{suffix}", np.int64(self.first_epoch + epoch))
                step = epoch * self.length
                self.records.append(Record(step, step + index / 2, hidden=[mark]))

    def per_step(self, **values: object) -> MadeUpRun:
        """Scalars whose x is the step; `__` in a name stands for the slash of the tag."""
        for name, series in values.items():
            tag = name.replace("__", "/")
            self.records += [
                Record(step, float(step), [(tag, float(value))])
                for step, value in enumerate(np.asarray(series, np.float64))
            ]
        return self

    def per_epoch(self, **values: object) -> MadeUpRun:
        """Scalars whose x is the epoch, taken at its end."""
        for name, series in values.items():
            tag = name.replace("__", "/")
            stream = next((s for s in self.streams if s and tag.endswith("/" + s)), "")
            hidden = "autotrack/step" + (f"/{stream}" if stream else "")
            for epoch, value in enumerate(np.asarray(series, np.float64)):
                step = (epoch + 1) * self.length
                self.records.append(
                    Record(
                        self.first_epoch + epoch,
                        float(step),
                        [(tag, float(value))],
                        hidden=[(hidden, np.int64(step))],
                    )
                )
        return self

    def begins_anew(self, *steps: int, stream: str = "") -> MadeUpRun:
        """At these steps trainings of new weights begin."""
        tag = "autotrack/training" + (f"/{stream}" if stream else "")
        self.records += [
            Record(step, float(step), hidden=[(tag, np.int64(number))])
            for number, step in enumerate(steps, start=2)
        ]
        return self

    def confusion(self, phase: str, counts: np.ndarray) -> MadeUpRun:
        """Confusion matrices of a phase at the ends of epochs, shape [epochs, classes, classes]."""
        for epoch, matrix in enumerate(counts):
            step = (epoch + 1) * self.length
            hidden = [("autotrack/step", np.int64(step))]
            hidden.append((f"autotrack/confusion/{phase}", matrix.ravel().astype(np.int64)))
            self.records.append(Record(self.first_epoch + epoch, float(step), hidden=hidden))
        return self

    def vectors(
        self, tag: str, names: list[str], values: np.ndarray, every: int = 1, stream: str = ""
    ) -> MadeUpRun:
        """One number a parameter and step, `values` of shape [n, parameters]."""
        suffix = f"/{stream}" if stream else ""
        self.records.append(Record(0, 0.0, hidden=[(f"autotrack/parameters{suffix}", names)]))
        self.records += [
            Record(row * every, float(row * every), hidden=[(tag + suffix, vector.astype("f4"))])
            for row, vector in enumerate(values)
        ]
        return self

    def skipped(self, *steps: int, stream: str = "") -> MadeUpRun:
        """Steps that a gradient scaler skipped, by the number of steps completed before."""
        tag = "autotrack/skipped" + (f"/{stream}" if stream else "")
        self.records += [Record(s, s - 0.5, hidden=[(tag, np.int64(1))]) for s in steps]
        return self

    def histograms(self, tag: str, steps: list[int], tensors: list[np.ndarray]) -> MadeUpRun:
        """Histograms of the tensors' values."""
        self.records += [
            Record(step, float(step), histograms=[(tag, histogram(tensor))])
            for step, tensor in zip(steps, tensors, strict=True)
        ]
        return self

    def read(self, directory: Path) -> History:
        """Write the run and read it back."""
        facts = json.dumps({"streams": list(self.streams), **self.facts})
        first = Record(0, 0.0, hidden=[("autotrack/run", facts)])
        with EventFileWriter(directory) as writer:
            writer.write([first, *sorted(self.records, key=lambda record: record.time)])
        return read(directory)


def histogram(tensor: np.ndarray) -> Histogram:
    """Counts by numpy in the record's bins: edges at plus and minus 2^e and 1.5 * 2^e."""
    finite = tensor[np.isfinite(tensor)].astype(np.float64)
    missing = (
        int(np.isnan(tensor).sum()),
        int((tensor == np.inf).sum()),
        int((tensor == -np.inf).sum()),
    )
    top = float(np.abs(finite).max(initial=0.0)) or 1.0
    exponents = np.arange(np.floor(np.log2(top)) - 11, np.floor(np.log2(top)) + 2)
    edges = np.sort(np.concatenate([2.0**exponents, 1.5 * 2.0**exponents]))
    edges = np.concatenate([-edges[::-1], edges])
    counts, _ = np.histogram(finite, edges)
    used = np.flatnonzero(counts)
    if not len(used):
        return Histogram(np.empty(0), np.empty(0), np.nan, np.nan, 0, 0.0, 0.0, missing)
    low, high = used[0], used[-1] + 1
    return Histogram(
        edges[low : high + 1],
        np.concatenate([[0], counts[low:high]]).astype(np.float64),
        float(finite.min()),
        float(finite.max()),
        len(finite),
        float(finite.sum()),
        float((finite**2).sum()),
        missing,
    )
