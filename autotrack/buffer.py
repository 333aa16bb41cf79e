"""Finished rows that wait for the next flush, and for those of their numbers that are under way."""

from __future__ import annotations

from collections import Counter, deque
from typing import TYPE_CHECKING, Any

import numpy as np
import torch

from autotrack.block import Block
from autotrack.pending import Derived, Pending, is_known, read
from autotrack.records import Record
from autotrack.transfer import Transfer

if TYPE_CHECKING:
    from autotrack.row import Row


class Buffer:
    """Rows in order. Numbers of a device come home by `transfer` and hold back what follows."""

    def __init__(self) -> None:
        self.rows: list[tuple[Row | Block, Any]] = []
        self.transfer = Transfer()
        #: Steps that turned out to be none.
        self.skipped = 0
        # By stream: how many of its steps so far turned out to be none.
        self._missed: Counter[Any] = Counter()
        self._travelling: deque[tuple[Row | Block, Any]] = deque()

    def add(self, row: Row | Block, stream: Any) -> None:
        """Keep a finished row; `stream` names its series once that is settled."""
        self.rows.append((row, stream))

    @property
    def travelling(self) -> int:
        """How many rows wait for their numbers to come home."""
        return len(self._travelling)

    @property
    def is_empty(self) -> bool:
        """Whether no row waits."""
        return not self.rows and not self._travelling

    def take(self, *, wait: bool = False) -> list[tuple[Row | Block, Any]]:
        """Return the rows whose numbers are all known, up to the first that is not.

        What is still on a device starts its journey. With `wait` all rows are returned, without the
        numbers that never came.
        """
        rows, self.rows = self.rows, []
        if not self._travelling and self._all_settled(rows):
            return rows
        for row, _ in rows:
            if not isinstance(row, Block):
                _pack(row, self.transfer)
        self._travelling.extend(rows)
        self.transfer.send()
        if wait:
            self.transfer.wait()
        else:
            self.transfer.receive()
        return self._arrived()

    def _all_settled(self, rows: list[tuple[Row | Block, Any]]) -> bool:
        for row, _ in rows:
            if isinstance(row, Block):
                if not row.known:
                    return False
                continue
            if type(row.skipped) is not float and not is_known(row.skipped):
                return False
            if not _is_plain(row) and not _settle(row):
                return False
        for row, _ in rows:
            if isinstance(row, Block):
                row.arrive()
            elif self._missed:
                self._renumber(row)
        return True

    def _arrived(self) -> list[tuple[Row | Block, Any]]:
        arrived: list[tuple[Row | Block, Any]] = []
        while self._travelling:
            row, stream = self._travelling[0]
            if isinstance(row, Block):
                if not row.known:
                    break
                row.arrive()
                arrived.append(self._travelling.popleft())
                continue
            if not is_known(row.skipped):
                break
            if read(row.skipped):
                row.scalars, row.histograms = [], []
                row.hidden = [(tag, value) for tag, value in row.hidden if tag in _KEPT]
                row.hidden.append(("autotrack/skipped", 1))
            if not _settle(row):
                break
            self._renumber(row)
            if read(row.skipped):
                self.skipped += 1
                self._missed[stream] += 1
            arrived.append(self._travelling.popleft())
        return arrived

    def _renumber(self, row: Row) -> None:
        """Count no step that turned out to be none: only now is it known which were."""
        if not self._missed or not row.counted:
            return
        counted = max(steps for _, steps in row.counted)
        late = counted - max(steps - self._missed[stream] for stream, steps in row.counted)
        if row.by_steps:
            row.x -= late
        row.hidden = [
            (tag, value - late if tag == "autotrack/step" else value) for tag, value in row.hidden
        ]


# What says where later rows stand.
_KEPT = ("autotrack/epoch", "autotrack/parameters")


def _pack(row: Row, transfer: Transfer) -> None:
    """Let tensors that a metric left in its row travel like everything else."""
    row.scalars = [
        (tag, transfer.value(value) if isinstance(value, torch.Tensor) else value)
        for tag, value in row.scalars
    ]
    row.hidden = [
        (tag, _sent(value, transfer) if isinstance(value, torch.Tensor) else value)
        for tag, value in row.hidden
    ]


def _sent(tensor: torch.Tensor, transfer: Transfer) -> Any:
    if tensor.device.type == "cpu":
        return tensor
    # A place holds whole numbers exactly up to 2^53.
    kept = np.float32 if tensor.is_floating_point() else np.int64
    return Derived(lambda values: values.astype(kept), transfer.numbers(tensor))


def _is_plain(row: Row) -> bool:
    """Whether a row, as most, has nothing but numbers that are known."""
    if row.hidden or row.histograms:
        return False
    for _, value in row.scalars:  # noqa: SIM110 - a generator costs a frame a number
        if type(value) is not float:
            return False
    return True


def _settle(row: Row) -> bool:
    """Put numbers where a row has numbers on their way; False while one has not arrived.

    What turned out not to be known is left out.
    """
    waiting = [v for _, v in (*row.scalars, *row.histograms, *row.hidden) if _waits(v)]
    if not all(_has_arrived(value) for value in waiting):
        return False
    if waiting:
        row.scalars = _known(row.scalars)
        row.histograms = _known(row.histograms)
        row.hidden = _known(row.hidden)
    return True


def _known(values: list[tuple[str, Any]]) -> list[tuple[str, Any]]:
    settled = [(tag, _settled(value)) for tag, value in values]
    return [(tag, value) for tag, value in settled if value is not None]


def _waits(value: Any) -> bool:
    if isinstance(value, torch.Tensor):
        return value.device.type != "cpu"
    return isinstance(value, (Pending, list))


def _has_arrived(value: Any) -> bool:
    if isinstance(value, list):
        return all(is_known(one) for one in value)
    return not isinstance(value, torch.Tensor) and is_known(value)


def _settled(value: Any) -> Any:
    if isinstance(value, list):
        numbers = [read(one) for one in value]
        return None if any(one is None for one in numbers) else numbers
    return read(value)


def record_of(row: Row | Block, tag: Any) -> Record | Block:
    """Return the plain record of a row; `tag` maps each tag to its final name."""
    if isinstance(row, Block):
        return row.named(tag)
    if row.has_only_scalars:
        return Record(row.x, row.time, [(tag(name), float(value)) for name, value in row.scalars])
    return Record(
        row.x,
        row.time,
        scalars=[(tag(name), float(value)) for name, value in row.scalars],
        histograms=list(row.histograms),
        texts=list(row.texts),
        hidden=[(tag(name), _hidden(value)) for name, value in row.hidden],
        images=list(row.images),
        curves=list(row.curves),
        graph=row.graph,
        ended=row.ended,
    )


def _hidden(value: Any) -> Any:
    """Return a hidden value as the record keeps it: text as it is, numbers as an array."""
    if isinstance(value, str) or (isinstance(value, list) and value and isinstance(value[0], str)):
        return value
    if isinstance(value, torch.Tensor):
        return value.numpy().astype(np.float32 if value.is_floating_point() else np.int64)
    return np.asarray(value, _kept_as(value))


def _kept_as(value: Any) -> type[np.generic]:
    whole = isinstance(value, int) or np.issubdtype(getattr(value, "dtype", float), np.integer)
    return np.int64 if whole else np.float32
