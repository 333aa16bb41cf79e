"""Records in a row that hold the same series, kept as columns from the loop to the file.

A record of its own for each of a hundred thousand steps costs more than everything else that is
done for them.
"""

from __future__ import annotations

from dataclasses import dataclass, field, replace
from typing import TYPE_CHECKING, Any

import numpy as np

from autotrack.pending import is_known, read
from autotrack.records import Record

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Iterator

    #: A tag and its values: a sequence with one a record, None where a record has none.
    Column = tuple[str, Any]


@dataclass(slots=True, eq=False, repr=False)
class Block:
    """Steps, or epochs, `x`, `x + 1`, ... with their `times` (unix seconds), one record each.

    `columns` has a tag's scalars, one a record; None where a record has none. `extra` has scalars
    that few records have, by index. `hidden` has whole numbers, or int64 arrays of one shape.
    A column may be on its way from a device; then it is a `Pending` list.
    """

    x: int
    times: list[float]
    columns: list[Column] = field(default_factory=list)
    extra: dict[int, list[tuple[str, float]]] = field(default_factory=dict)
    hidden: list[Column] = field(default_factory=list)

    def __len__(self) -> int:
        return len(self.times)

    @property
    def known(self) -> bool:
        """Whether all columns have arrived."""
        return all(is_known(values) for _, values in (*self.columns, *self.hidden))

    def arrive(self) -> None:
        """Put numbers where columns were on their way; those that never came are left out."""
        self.columns = _arrived(self.columns)
        self.hidden = _arrived(self.hidden)

    def named(self, tag: Callable[[str], str]) -> Block:
        """Return it with the final names of its tags."""
        extra = {index: _named(own, tag) for index, own in self.extra.items()}
        columns, hidden = _named(self.columns, tag), _named(self.hidden, tag)
        return replace(self, columns=columns, extra=extra, hidden=hidden)

    def record(self, index: int) -> Record:
        """Return one of them."""
        scalars = [(tag, v) for tag, column in self.columns if (v := column[index]) is not None]
        hidden = [(tag, v) for tag, column in self.hidden if (v := column[index]) is not None]
        record = Record(self.x + index, self.times[index], scalars + self.extra.get(index, []))
        record.hidden += [(tag, np.asarray(value, np.int64)) for tag, value in hidden]
        return record

    def records(self) -> Iterator[Record]:
        """Yield them one by one."""
        return map(self.record, range(len(self)))


def _named(values: list[tuple[str, Any]], tag: Callable[[str], str]) -> list[tuple[str, Any]]:
    return [(tag(name), value) for name, value in values]


def _arrived(columns: list[Column]) -> list[Column]:
    read_ones = [(tag, read(values)) for tag, values in columns]
    return [(tag, values) for tag, values in read_ones if values is not None]


def spread_out(records: Iterable[Record | Block]) -> Iterator[Record]:
    """Yield the records, one by one, of a list in which some are in blocks."""
    for one in records:
        if isinstance(one, Block):
            yield from one.records()
        else:
            yield one
