"""Counts of what went into the record."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from autotrack.block import Block
from autotrack.capture.streams import tag_of

if TYPE_CHECKING:
    from collections.abc import Collection, Iterable, Sequence

    from autotrack.capture.streams import Stream
    from autotrack.records import Record


@dataclass(slots=True, eq=False, repr=False)
class Tally:
    """How often the tags of one family were recorded, and the step of the first."""

    count: int = 0
    first: int | None = None


class Tallies:
    """Counts what goes into the record, by tag; histograms and the like by family."""

    def __init__(self) -> None:
        self._by_tag: dict[str, Tally] = {}

    def add(self, records: list[Record | Block]) -> None:
        """Count the values of some records."""
        known = self._by_tag
        for record in records:
            if isinstance(record, Block):
                self._add_block(record)
                continue
            for tag, _ in record.scalars:
                if tag not in known:
                    known[tag] = Tally(first=_step_of(record))
                known[tag].count += 1
            if record.histograms or record.images or record.curves or record.graph or record.hidden:
                for family in _families(record):
                    known.setdefault(family, Tally(first=_step_of(record))).count += 1

    def _add_block(self, block: Block) -> None:
        steps = _steps_of(block)
        for tag, values in block.columns:
            # counted in C: there may be a hundred thousand of them a second
            count = len(values) - values.count(None)
            tally = self._by_tag.get(tag)
            if tally is None and count:
                first = next(i for i, value in enumerate(values) if value is not None)
                tally = self._by_tag[tag] = Tally(first=int(steps[first]))
            if tally is not None:
                tally.count += count
        for index, own in block.extra.items():
            for tag, _ in own:
                self._by_tag.setdefault(tag, Tally(first=int(steps[index]))).count += 1

    @property
    def tags(self) -> Collection[str]:
        """Return the tags that were counted, families included."""
        return self._by_tag.keys()

    def of(self, *tags: str) -> Tally:
        """Return the tally of exactly these tags, all together."""
        return _together(self._by_tag[tag] for tag in tags if tag in self._by_tag)

    def of_streams(self, streams: list[Stream], tag: str) -> Tally:
        """Return the tally of one tag over all streams."""
        return self.of(*dict.fromkeys(tag_of(stream, tag) for stream in streams))

    def below(self, prefix: str) -> list[str]:
        """Return the last parts of all tags right below `prefix`."""
        return [tag[len(prefix) + 1 :] for tag in self._by_tag if tag.startswith(f"{prefix}/")]


def _families(record: Record) -> set[str]:
    shown = (*record.histograms, *record.images, *record.curves)
    families = {tag.partition("/")[0] for tag, _ in shown}
    if record.graph:
        families.add("Graph")
    if any(tag == "autotrack/embeddings" for tag, _ in record.hidden):
        families.add("Embeddings")
    return families


def _together(tallies: Iterable[Tally]) -> Tally:
    found = list(tallies)
    return Tally(
        sum(t.count for t in found),
        min((t.first for t in found if t.first is not None), default=None),
    )


def _steps_of(block: Block) -> Sequence[int]:
    """Return the completed steps that the events of epochs carry, else their x, which are steps."""
    for tag, values in block.hidden:
        if tag.startswith("autotrack/step"):
            steps: Sequence[int] = values
            return steps
    return range(block.x, block.x + len(block))


def _step_of(record: Record) -> int:
    """Return the completed steps that an epoch's event carries, else its x, which is a step."""
    for tag, value in record.hidden:
        if tag.startswith("autotrack/step") and not isinstance(value, (str, list)):
            return int(value.reshape(-1)[0])
    return record.x
