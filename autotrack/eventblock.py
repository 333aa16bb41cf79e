"""A block of records as the frames of an event file: the bytes that one by one would give.

Events with the same series differ in a few places only, so all of them are one table of bytes in
which those places are filled, column by column.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np

from autotrack import scalarevent
from autotrack.framing import CHECKSUM, HEADER, frame, header, masked_checksums

if TYPE_CHECKING:
    from numpy.typing import NDArray

    from autotrack.block import Block, Column

# A table has its price too: below so many steps one by one is cheaper.
_WORTH_IT = 24
_TIME = slice(HEADER.size + 1, HEADER.size + 9)
_PLACE = HEADER.size + 10
_NUMBER_BYTES = 4


def frames(block: Block) -> list[bytes]:
    """Return one frame a step, in order; numbers are rounded to float32."""
    if len(block) < _WORTH_IT or not block.columns:
        return [frame(scalarevent.encode(*event)) for event in block.scalars() if event[2]]
    found: list[bytes] = [b""] * len(block)
    for (present, size), indices in _alike(block).items():
        columns = [column for column, there in zip(block.columns, present, strict=True) if there]
        table = _table(block, columns, np.array(indices), size)
        for index, made in zip(indices, _framed(table), strict=True):
            found[index] = made
    if block.last:
        *_, final = block.scalars()
        found[-1] = frame(scalarevent.encode(*final))
    return found


def _alike(block: Block) -> dict[tuple[tuple[bool, ...], int], list[int]]:
    """Return the indices of steps by what decides the length of their events.

    That is which columns have a value, and how many bytes the step's number takes.
    """
    steps = range(block.x, block.x + len(block))
    whole, size = (True,) * len(block.columns), _size(block.x)
    has_gaps = any(None in values for _, values in block.columns)
    if not has_gaps and size == _size(steps[-1]):
        return {(whole, size): list(range(len(block)))}
    groups: dict[tuple[tuple[bool, ...], int], list[int]] = {}
    rows = zip(*(values for _, values in block.columns), strict=True)
    for index, (step, row) in enumerate(zip(steps, rows, strict=True)):
        present = tuple([value is not None for value in row])
        groups.setdefault((present, _size(step)), []).append(index)
    return groups


def _size(step: int) -> int:
    """Return how many bytes the number of a step takes; that of step 0 is not written."""
    return len(scalarevent.varint(step)) if step else 0


def _table(
    block: Block, columns: list[Column], indices: NDArray[np.int64], size: int
) -> NDArray[np.uint8]:
    """Return the frames, a row each, but for the checksum at their ends.

    The first frame is made as ever, and is the pattern of all.
    """
    first = int(indices[0])
    message = scalarevent.encode(
        block.x + first, block.times[first], [(tag, 0.0) for tag, _ in columns]
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
    for tag, values in reversed(columns):
        numbers = np.array([values[i] for i in indices], np.float64)
        table[:, end - _NUMBER_BYTES : end] = _bytes(numbers, "<f4")
        end -= len(scalarevent.until_number(tag)) + _NUMBER_BYTES
    return table


def _bytes(numbers: NDArray[np.float64], kind: str) -> NDArray[np.uint8]:
    # What is too large for single precision becomes infinity.
    with np.errstate(over="ignore"):
        return numbers.astype(kind).view(np.uint8).reshape(len(numbers), -1)


def _framed(table: NDArray[np.uint8]) -> list[bytes]:
    """Return the rows of a table with their checksums."""
    start, end = HEADER.size, table.shape[1] - CHECKSUM.size
    sums = masked_checksums([row.tobytes() for row in table[:, start:end]])
    table[:, end:] = sums.view(np.uint8).reshape(len(sums), -1)
    whole, length = table.tobytes(), table.shape[1]
    return [whole[at : at + length] for at in range(0, len(whole), length)]
