"""Which epoch a training batch belongs to, and what ends a pass."""

from __future__ import annotations

import time
from typing import TYPE_CHECKING, Any

from autotrack import events as e
from autotrack.loopscope import Shown
from autotrack.row import Row
from autotrack.timeline import EpochCounter

if TYPE_CHECKING:
    from collections.abc import Callable

    from autotrack.capture.capture import Capture
    from autotrack.capture.streams import Stream
    from autotrack.loopscope import Loop, LoopScope, Site


class Epochs:
    """Reads the epoch off the loop, else off the loader, and gives each stream its own.

    `loop` is the person's epoch loop, once it is known; `unsure` says that only a device knows
    which steps happened.
    """

    def __init__(
        self,
        capture: Capture,
        scope: LoopScope,
        publish: Callable[[Any], None],
        emit_row: Callable[[Row, Any], None],
    ) -> None:
        self._capture, self._scope = capture, scope
        self._publish, self._emit_row = publish, emit_row
        self.loop: Loop | None = None
        self.unsure = False
        self._shared_clock = EpochCounter()

    @property
    def is_stated(self) -> bool:
        """Whether the person says which variable counts the epochs."""
        return self._scope.stated.epoch is not None

    def uses_batch_again(self, site: Site) -> bool:
        """Whether the batch in hand is one that the training loader gave earlier."""
        loader = self._capture.evaluation.last_loader
        if loader is None:
            return False
        same_data = self._capture.evaluation.looked_at(self._capture.criteria.target_in_hand)
        return self._capture.loaders.is_again(loader, id(site), same_data=same_data)

    def shown(self, site: Site, shown: Shown | None, *, again: bool) -> Shown | None:
        """Return what the loop, else the training loader, says about the epoch of a batch."""
        loader, loaders = self._capture.evaluation.last_loader, self._capture.loaders
        by_loader = None
        if loader is not None:
            by_loader = loaders.train_again(id(site)) if again else loaders.train(loader, id(site))
        if self.is_stated:
            stated = self._scope.stated.epoch_now(self._scope.boundary)
            if stated is not None:
                return Shown("stated", stated)
        if shown is not None and site.epoch is not None:
            self.loop = site.epoch[0]
            return shown
        return None if by_loader is None else Shown("loader", by_loader)

    def _last_epoch(self, epoch: int) -> int | None:
        """Return the number of the run's last epoch, where the epoch loop tells how many follow."""
        if self.loop is None:
            return None
        remaining = self._scope.remaining(self._scope.site(), self.loop)
        return None if remaining is None else epoch + remaining

    def enter(self, stream: Stream, shown: Shown | None) -> None:
        """Give a stream the epoch of its batch; a new one ends the running pass."""
        epoch = None
        if shown is not None:
            clock = self._clock(stream, own=shown.own)
            epoch = clock.at(shown.loop, shown.number)
            if epoch == stream.epoch and stream.enters_anew:
                # The training before was over within its first epoch, of the same number.
                epoch = clock.again()
        if epoch == stream.epoch:
            return
        if stream.epoch is not None:
            self.end_pass(stream)
            stream.after_one_step = epoch == stream.epoch + 1 and stream.steps == stream.entered + 1
        stream.entered = stream.steps
        stream.epoch = epoch
        stream.epochs += epoch is not None

    def _clock(self, stream: Stream, *, own: bool) -> EpochCounter:
        """Return the counter of a loop: one for all, unless several loops may be under way."""
        return stream.clock if own else self._shared_clock

    def end_pass(self, stream: Stream, when: float | None = None) -> None:
        """Close a stream's training pass: one point of its epoch series."""
        stream.stretch.steps = 0
        # Once a point stands at steps, those that follow do too: an axis never goes back.
        stream.by_steps |= stream.epoch is None and stream.batches_seen > 0
        stream.batches_seen = 0
        x = stream.steps if stream.by_steps or stream.epoch is None else stream.epoch
        row = Row(x, time.time() if when is None else when)
        if self.unsure:
            row.counted = ((stream, stream.steps),)
            row.by_steps = stream.by_steps or stream.epoch is None
        self._publish(e.TrainPassEnded(stream, row))
        if row.scalars:
            row.hidden.append(("autotrack/step", stream.steps))
            self._emit_row(row, stream)

    def mark(self, row: Row, stream: Stream, epoch: int) -> None:
        """Say in the row of its first step that an epoch begins."""
        stream.marked = epoch
        row.hidden.append(("autotrack/epoch", epoch))
        last = self._last_epoch(epoch)
        if last is not None and last != stream.said_last:
            stream.said_last = last
            row.hidden.append(("autotrack/last_epoch", last))

    def run_on(self, stream: Stream, shown: Shown, count: int) -> None:
        """So many epochs of one step each have gone by; the last, as `shown`, is running."""
        clock = self._clock(stream, own=shown.own)
        stream.epoch = stream.marked = clock.at(shown.loop, shown.number)
        stream.epochs += count
        stream.entered = stream.steps + count - 1
        stream.batches_seen = 0

    def here(self, main: Stream | None) -> int | None:
        """Return the epoch that the epoch loop shows now, where we are inside that loop."""
        stated = self._scope.stated.epoch_now(self._scope.boundary)
        if stated is not None:
            return self._shared_clock.peek("stated", stated)
        if self.loop is None or main is None:
            return None
        number = self._scope.number_here(self._scope.site(), self.loop)
        clock = self._clock(main, own=self.loop.suspends)
        return None if number is None else clock.peek(self.loop.key, number)
