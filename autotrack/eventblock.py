"""A block of records as the frames of an event file: the bytes that one by one would give.

Events with the same series differ in a few places only, so all of them are one table of bytes in
which those places are filled, column by column.
"""

from __future__ import annotations

import operator
from functools import partial
from typing import TYPE_CHECKING, Any

import numpy as np

from autotrack import scalarevent
from autotrack.framing import CHECKSUM, HEADER, frame, header, masked_checksums

if TYPE_CHECKING:
    from numpy.typing import NDArray

    from autotrack.block import Block, Column
    from autotrack.records import Record

# A table has its price too: below so many steps one by one is cheaper.
_WORTH_IT = 24
_TIME = slice(HEADER.size + 1, HEADER.size + 9)
_PLACE = HEADER.size + 10
_NUMBER_BYTES = 4
_is_none = partial(operator.is_, None)


def frames(block: Block) -> list[bytes]:
    """Return one frame a record, in order; scalars are rounded to float32.

    A record without anything has none.
    """
    if len(block) < _WORTH_IT or not (block.columns or block.hidden):
        return [_frame(record) for record in block.records() if record.has_only_numbers]
    found: list[bytes] = [b""] * len(block)
    for (present, size), indices in _alike(block).items():
        table = _table(block, present, np.array(indices), size)
        for index, made in zip(indices, _framed(table), strict=True):
            found[index] = made
    for index in block.extra:
        found[index] = _frame(block.record(index))
    return found


def _frame(record: Record) -> bytes:
    return frame(scalarevent.encode(record.x, record.time, record.scalars, record.hidden))


def _alike(block: Block) -> dict[tuple[tuple[bool, ...], int], list[int]]:
    """Return the indices of records by what decides the length of their events.

    That is which columns have a value, and how many bytes the number of the step takes.
    """
    steps = range(block.x, block.x + len(block))
    columns = [values for _, values in (*block.columns, *block.hidden)]
    whole, size = (True,) * len(columns), _size(block.x)
    if not any(map(_has_gaps, columns)) and size == _size(steps[-1]):
        return {(whole, size): list(range(len(block)))}
    groups: dict[tuple[tuple[bool, ...], int], list[int]] = {}
    for index, (step, row) in enumerate(zip(steps, zip(*columns, strict=True), strict=True)):
        present = tuple([value is not None for value in row])
        groups.setdefault((present, _size(step)), []).append(index)
    return groups


def _has_gaps(values: Any) -> bool:
    # Compared by identity and in C: there may be arrays among them, or a hundred thousand floats.
    return any(map(_is_none, values))


def _size(step: int) -> int:
    """Return how many bytes the number of a step takes; that of step 0 is not written."""
    return len(scalarevent.varint(step)) if step else 0


def _table(
    block: Block, present: tuple[bool, ...], indices: NDArray[np.int64], size: int
) -> NDArray[np.uint8]:
    """Return the frames, a row each, but for the checksum at their ends.

    The first frame is made as ever, and is the pattern of all.
    """
    split = len(block.columns)
    scalars = _numbers(block.columns, present[:split], indices, np.float64)
    hidden = _numbers(block.hidden, present[split:], indices, np.int64)
    message = scalarevent.encode(
        block.x + int(indices[0]),
        block.times[int(indices[0])],
        [(tag, 0.0) for tag, _ in scalars],
        [(tag, numbers[0]) for tag, numbers in hidden],
    )
    empty = CHECKSUM.pack(0)
    table = np.tile(
        np.frombuffer(header(len(message)) + message + empty, np.uint8), (len(indices), 1)
    )
    table[:, _TIME] = _bytes(np.array(block.times)[indices], "<f8")
    for place in range(size):
        last = place == size - 1
        seven = (block.x + indices) >> 7 * place & 0x7F
        table[:, _PLACE + place] = seven if last else seven | 0x80
    end = table.shape[1] - len(empty)
    for tag, numbers in reversed(hidden):
        before, after = scalarevent.around_numbers(tag, numbers.shape[1:])
        end -= len(after)
        content = _bytes(numbers, "<i8")
        table[:, end - content.shape[1] : end] = content
        end -= content.shape[1] + len(before)
    for tag, numbers in reversed(scalars):
        table[:, end - _NUMBER_BYTES : end] = _bytes(numbers, "<f4")
        end -= len(scalarevent.until_number(tag)) + _NUMBER_BYTES
    return table


def _numbers(
    columns: list[Column], present: tuple[bool, ...], indices: NDArray[np.int64], kind: type
) -> list[tuple[str, NDArray[Any]]]:
    """Return what those columns that are present hold at the indices, [indices, ...]."""
    return [
        (tag, np.array([values[i] for i in indices], kind))
        for (tag, values), there in zip(columns, present, strict=True)
        if there
    ]


def _bytes(numbers: NDArray[Any], kind: str) -> NDArray[np.uint8]:
    # What is too large for single precision becomes infinity.
    with np.errstate(over="ignore"):
        return numbers.astype(kind).reshape(len(numbers), -1).view(np.uint8)


def _framed(table: NDArray[np.uint8]) -> list[bytes]:
    """Return the rows of a table with their checksums."""
    start, end = HEADER.size, table.shape[1] - CHECKSUM.size
    sums = masked_checksums([row.tobytes() for row in table[:, start:end]])
    table[:, end:] = sums.view(np.uint8).reshape(len(sums), -1)
    whole, length = table.tobytes(), table.shape[1]
    return [whole[at : at + length] for at in range(0, len(whole), length)]
