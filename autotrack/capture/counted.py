"""Which batches count in the running pass of a stream: each once, and those that led to no step."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from autotrack.capture.unclaimed import MOST_UNCLAIMED
from autotrack.events import TrainBatchSeen

if TYPE_CHECKING:
    from collections.abc import Callable

    from autotrack.capture.sites import Sites
    from autotrack.capture.streams import Stream
    from autotrack.events import TrainBatch


class Counted:
    """Tells the metrics of the batches of a pass, once their call site is known to train."""

    def __init__(self, sites: Sites, publish: Callable[[Any], None]) -> None:
        self._sites = sites
        self._publish = publish

    def count_step(self, stream: Stream, batches: list[TrainBatch]) -> None:
        """Count the batches of a step, and those that waited to know whether their site trains."""
        for batch in batches:
            known = self._sites.of(batch.site)
            if not known.held and id(stream) in batch.seen_by:
                continue
            held, known.held = known.held, []
            for waiting in held:
                waiting.freed = self._sites.freed(waiting)
                self.count(stream, waiting)
            self.count(stream, batch)

    def count(self, stream: Stream, batch: TrainBatch) -> None:
        """Count a batch in the stream's running pass, once."""
        if id(stream) in batch.seen_by:
            return
        batch.seen_by.add(id(stream))
        if batch.freed is None:
            batch.freed = self._sites.freed(batch)
        stream.batches_seen += 1
        self._publish(TrainBatchSeen(stream, batch, self._sites.of(batch.site).adds))

    def drop(self, stream: Stream) -> None:
        """Let go of backward calls that lead to no step; the model saw their batches."""
        for batch in stream.pending:
            known = self._sites.of(batch.site)
            if stream in known.streams:
                self.count(stream, batch)
            elif not known.streams and len(known.held) < MOST_UNCLAIMED:
                known.held.append(batch)
        stream.pending.clear()
