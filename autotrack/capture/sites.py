"""What the call sites of backward have taught: who steps on them, and what divides their losses."""

from __future__ import annotations

import math
from dataclasses import dataclass, field
from typing import TYPE_CHECKING

from autotrack.capture.batches import become_mean

if TYPE_CHECKING:
    from autotrack.capture.streams import Stream
    from autotrack.events import TrainBatch
    from autotrack.loopscope import Site
    from autotrack.row import Value


@dataclass(slots=True, eq=False, repr=False)
class Known:
    """One call site: the streams that step on its losses, and its division.

    `divisor` is the number of micro-batches the person divides by; `shares` says that each loss is
    weighted by its share of the batch instead; `counted_by` that sums are divided by what all of
    the group's run over, counted in the way at this place of `CriterionCall.counts`, and `means`
    that each is divided by what itself runs over; `adds` that another site leads the step; `looks`
    is how often the graph below its losses was searched.
    """

    streams: list[Stream] = field(default_factory=list)
    divisor: float | None = None
    shares: bool = False
    counted_by: int | None = None
    means: bool = False
    adds: bool = False
    gathers: bool = False
    held: list[TrainBatch] = field(default_factory=list)
    looks: int = 0


class Sites:
    """Knowledge by call site, grown from completed steps."""

    @staticmethod
    def of(site: Site) -> Known:
        """Return what is known of a site."""
        known: Known | None = site.learned
        if known is None:
            known = site.learned = Known()
        return known

    def learn(self, stream: Stream, batches: list[TrainBatch]) -> list[list[TrainBatch]]:
        """Learn from the backward calls of a step and return them in groups of micro-batches.

        Calls at one site are micro-batches of one batch. So are calls at several sites that all
        divide by the number of calls: accumulation written on two lines.
        """
        if len(batches) == 1:
            self._learn_alone(stream, batches)
            return [batches]
        groups = _by_site(batches)
        for group in groups:
            known = self.of(group[0].site)
            if stream not in known.streams:
                known.streams.append(stream)
            if len(group) > 1:
                known.gathers = True
                sizes = _as_means(group, len(group))
                known.means = known.means or len(set(sizes)) > 1
                self._learn_division(known, group, len(group))
        if len(groups) > 1:
            if self._are_one(batches):
                groups = [batches]
            else:
                for group in groups[1:]:
                    self.of(group[0].site).adds = True
        for batch in batches:
            batch.freed = self.freed(batch)
        return groups

    def _learn_alone(self, stream: Stream, batches: list[TrainBatch]) -> None:
        (batch,) = batches
        known = self.of(batch.site)
        if stream not in known.streams:
            known.streams.append(stream)
        if known.means and known.divisor is not None:
            _as_means(batches, known.divisor)
        batch.freed = self.freed(batch)

    def _are_one(self, batches: list[TrainBatch]) -> bool:
        count = float(len(batches))
        if all(b.divisor == count for b in batches):
            for batch in batches:
                self.of(batch.site).divisor = count
                self.of(batch.site).gathers = True
        return all(b.divisor != 1 and self.of(b.site).divisor == b.divisor for b in batches)

    @staticmethod
    def _learn_division(known: Known, group: list[TrainBatch], count: int) -> None:
        if group[0].divisor == count:
            known.divisor = group[0].divisor
            return
        counts = [b.parts[0].counts for b in group if b.reduction == "sum" and b.parts]
        if len(counts) == len(group):
            totals = [sum(column) for column in zip(*counts, strict=False)]
            if group[0].divisor in totals:
                known.counted_by = totals.index(group[0].divisor)
        sizes = [b.size for b in group if b.size is not None]
        if len(sizes) == len(group):
            total = sum(sizes)
            shares = [math.isclose(b.divisor * s, total) for b, s in zip(group, sizes, strict=True)]
            known.shares = known.shares or all(shares)

    def freed(self, batch: TrainBatch) -> Value | None:
        """Return a loss freed of the person's division by the number of micro-batches."""
        if batch.value is None:
            return None
        place = self.of(batch.site).counted_by
        if place is not None and batch.reduction == "sum" and batch.parts[0].counts[place:]:
            batch.ragged = True
            batch.size = batch.parts[0].counts[place]
        factor = self.factor(batch)
        return batch.value if factor == 1 else batch.value * factor

    def factor(self, batch: TrainBatch) -> float:
        """Return with what a loss is multiplied to be free of that division: 1 where with none."""
        known = self.of(batch.site)
        if known.shares or (known.divisor is not None and batch.divisor == known.divisor):
            return batch.divisor
        return 1.0


def _by_site(batches: list[TrainBatch]) -> list[list[TrainBatch]]:
    groups: dict[int, list[TrainBatch]] = {}
    for batch in batches:
        groups.setdefault(id(batch.site), []).append(batch)
    return list(groups.values())


def _as_means(group: list[TrainBatch], count: float) -> list[int]:
    """Let sums be means, each divided by what it runs over and by `count`; return their sizes.

    Nothing happens, and there are no sizes, where they are divided by anything else.
    """
    if any(b.reduction != "sum" or not b.whole or len(b.parts) != 1 for b in group):
        return []
    for sizes in zip(*(b.parts[0].counts for b in group), strict=False):
        divided = zip(group, sizes, strict=True)
        if all(batch.divisor == size * count for batch, size in divided):
            if len(set(sizes)) > 1 or len(group) == 1:
                for batch, size in zip(group, sizes, strict=True):
                    become_mean(batch, size, float(count))
            return list(sizes)
    return []
