"""Records of steps in a row that hold the same series, kept as columns from the loop to the file.

A record of its own for each of a hundred thousand steps costs more than everything else that is
done for them.
"""

from __future__ import annotations

from dataclasses import dataclass, field, replace
from typing import TYPE_CHECKING, Any

from autotrack.pending import is_known, read
from autotrack.records import Record

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Iterator

    #: A tag and its values: a sequence with one a step, None where a step has none.
    Column = tuple[str, Any]


@dataclass(slots=True)
class Block:
    """Steps `x`, `x + 1`, ... with their `times` (unix seconds), one record each.

    `columns` has a tag's values, one a step; None where a step has none. `last` are scalars of the
    last step alone. A column may be on its way from a device; then it is a `Pending` list.
    """

    x: int
    times: list[float]
    columns: list[Column] = field(default_factory=list)
    last: list[tuple[str, float]] = field(default_factory=list)

    def __len__(self) -> int:
        return len(self.times)

    @property
    def known(self) -> bool:
        """Whether all columns have arrived."""
        return all(is_known(values) for _, values in self.columns)

    def arrive(self) -> None:
        """Put numbers where columns were on their way; those that never came are left out."""
        arrived = [(tag, read(values)) for tag, values in self.columns]
        self.columns = [(tag, values) for tag, values in arrived if values is not None]

    def named(self, tag: Callable[[str], str]) -> Block:
        """Return it with the final names of its tags."""
        columns = [(tag(name), values) for name, values in self.columns]
        return replace(self, columns=columns, last=[(tag(name), v) for name, v in self.last])

    def scalars(self) -> Iterator[tuple[int, float, list[tuple[str, float]]]]:
        """Yield of each step its number, its time and its scalars."""
        tags = [tag for tag, _ in self.columns]
        final = len(self.times) - 1
        rows = (
            zip(*(values for _, values in self.columns), strict=True)
            if tags
            else [()] * (final + 1)
        )
        for index, (time, values) in enumerate(zip(self.times, rows, strict=True)):
            pairs = [(tag, v) for tag, v in zip(tags, values, strict=True) if v is not None]
            yield self.x + index, time, pairs + self.last if index == final else pairs

    def records(self) -> Iterator[Record]:
        """Yield one record a step."""
        for x, time, scalars in self.scalars():
            yield Record(x, time, scalars)


def spread_out(records: Iterable[Record | Block]) -> Iterator[Record]:
    """Yield the records, one by one, of a list in which some are in blocks."""
    for one in records:
        if isinstance(one, Block):
            yield from one.records()
        else:
            yield one
