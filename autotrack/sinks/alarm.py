"""Says once, at once, what a person would want to stop a training for; it never stops one."""

from __future__ import annotations

import math
import statistics
from typing import TYPE_CHECKING, ClassVar

from autotrack.block import Block
from autotrack.guard import log
from autotrack.runaway import has_run_away

if TYPE_CHECKING:
    from collections.abc import Iterable, Sequence
    from pathlib import Path

    from autotrack.records import Record

_WATCHED = ("Loss/train", "GradNorm/total")
# Steps that make its beginning (the highest of them counts), and those that must be far above it.
_BEGINNING = 20


def open(_directory: Path) -> AlarmSink:  # noqa: A001 - the verb every sink has
    """Return the sink; it speaks through the logger `autotrack`, as every other part."""
    return AlarmSink()


class AlarmSink:
    """Looks for numbers that are not finite and for a loss that runs away."""

    #: Blocks of records may be among those that it looks at.
    takes_blocks: ClassVar[bool] = True

    def __init__(self) -> None:
        self._said: set[str] = set()
        self._highest: dict[str, list[float]] = {}
        self._recent: dict[str, list[float]] = {}

    def write(self, records: Iterable[Record | Block]) -> None:
        """Look at some records."""
        for record in records:
            if isinstance(record, Block):
                self._look_at_block(record)
                continue
            for tag, value in record.scalars:
                if tag.startswith(_WATCHED):
                    self._look(tag, value, record.x)

    def close(self) -> None:
        """Have nothing to end."""

    def _look_at_block(self, block: Block) -> None:
        for tag, values in block.columns:
            if tag.startswith(_WATCHED):
                self._look_at_column(tag, values, block.x)

    def _look_at_column(self, tag: str, values: Sequence[float | None], x: int) -> None:
        # A sum of finite numbers may overflow, and then each is looked at.
        known = [value for value in values if value is not None]
        if math.isfinite(sum(known)) and (tag != "Loss/train" or self._is_far_from_alarm(known)):
            return
        for index, value in enumerate(values):
            if value is not None:
                self._look(tag, value, x + index)

    def _is_far_from_alarm(self, losses: list[float]) -> bool:
        """Whether none of these losses could be part of a loss that runs away."""
        beginning = self._highest.get("Loss/train", [])
        if len(beginning) < _BEGINNING or has_run_away(max(beginning), max(losses)):
            return False
        self._recent.pop("Loss/train", None)
        return True

    def _look(self, tag: str, value: float, step: int) -> None:
        if not math.isfinite(value):
            self._say(f"{tag} not finite", f"{tag} is {value} at step {step:,}")
        elif tag == "Loss/train":
            self._watch(tag, value, step)

    def _watch(self, tag: str, value: float, step: int) -> None:
        beginning = self._highest.setdefault(tag, [])
        if len(beginning) < _BEGINNING:
            beginning.append(abs(value))
            return
        recent = self._recent.setdefault(tag, [])
        recent.append(value)
        if len(recent) == _BEGINNING:
            middle = statistics.median(recent)
            recent.clear()
            if has_run_away(max(beginning), middle):
                times = middle / max(beginning)
                text = f"{tag} is {middle:.3g} at step {step:,}, {times:.0f} times its beginning"
                self._say(f"{tag} diverges", text)

    def _say(self, what: str, text: str) -> None:
        if what in self._said:
            return
        self._said.add(what)
        log.warning("%s", text)
