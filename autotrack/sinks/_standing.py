"""Where a run stands: what a person wants to see while it goes on, taken from its records."""

from __future__ import annotations

import json
import math
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from autotrack.records import Record

_RECENT = 50


@dataclass
class Standing:
    """The latest of each number, and when epochs began.

    `step` counts completed steps; `epoch` is None where the loop has none, `last_epoch` where its
    end is not known. `latest` is by tag.
    """

    name: str = ""
    step: int = 0
    epoch: int | None = None
    last_epoch: int | None = None
    latest: dict[str, float] = field(default_factory=dict)
    began: list[tuple[int, float]] = field(default_factory=list)
    first: float = math.inf
    now: float = 0.0
    findings: dict[str, Any] = field(default_factory=dict)
    _losses: dict[str, list[float]] = field(default_factory=dict)

    def see(self, records: list[Record]) -> None:
        """Take some records, in order."""
        for record in records:
            self.first = min(self.first, record.time)
            self.now = max(self.now, record.time)
            for tag, value in record.scalars:
                self.latest[tag] = value
                if tag == "Loss/train" or tag.startswith("Loss/train/"):
                    self.step = max(self.step, record.x + 1)
                    self._losses.setdefault(tag, []).append(value)
            for tag, hidden in record.hidden:
                self._see_hidden(tag, hidden, record)
        for values in self._losses.values():
            del values[:-_RECENT]

    def _see_hidden(self, tag: str, value: Any, record: Record) -> None:
        if tag == "autotrack/run":
            self.name = str(json.loads(value).get("name") or self.name)
        elif tag == "autotrack/findings":
            self.findings = json.loads(value)
        elif tag == "autotrack/last_epoch":
            self.last_epoch = int(value)
        elif tag == "autotrack/epoch":
            self.epoch = int(value)
            self.began.append((self.epoch, record.time))
            del self.began[:-_RECENT]

    @property
    def losses(self) -> dict[str, float]:
        """The mean of the latest losses of each stream, by tag."""
        return {tag: math.fsum(v) / len(v) for tag, v in self._losses.items() if v}

    @property
    def seconds_left(self) -> float | None:
        """How long the run still takes if epochs go on as they went; None where unknown."""
        if self.last_epoch is None or len(self.began) < 2:  # noqa: PLR2004 - one whole epoch
            return None
        (first, start), (latest, since) = self.began[0], self.began[-1]
        if latest <= first:
            return None
        each = (since - start) / (latest - first)
        return max(0.0, each * (self.last_epoch + 1 - latest) - (self.now - since))
