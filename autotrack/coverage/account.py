"""What a coverage is told from."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import TYPE_CHECKING

from autotrack.saying import ordinal

if TYPE_CHECKING:
    from collections.abc import Mapping

    from autotrack.capture.capture import Capture
    from autotrack.capture.evaluation import Evaluation
    from autotrack.capture.training import Training
    from autotrack.elsewhere import Elsewhere
    from autotrack.metrics import Surroundings
    from autotrack.tallies import Tallies


@dataclass(frozen=True, slots=True)
class Account:
    """A run's own knowledge: what its capture saw, what its record holds, what was switched off.

    `computed` are the class names of the run's metrics, `snapshots` whether it takes any, `missed`
    how many steps turned out to be none when their numbers arrived.
    `intervals` has, for each part that the budget has touched, its interval now and the step from
    which on that is in force.
    """

    capture: Capture
    surroundings: Surroundings
    tallies: Tallies
    failed: Mapping[str, str]
    elsewhere: Elsewhere
    computed: frozenset[str]
    snapshots: bool = True
    missed: int = 0
    intervals: Mapping[str, tuple[int, int]] = field(default_factory=dict)

    @property
    def training(self) -> Training:
        """The training side of the capture."""
        return self.capture.training

    @property
    def evaluation(self) -> Evaluation:
        """The evaluation side of the capture."""
        return self.capture.evaluation

    def at(self, part: str, unit: str) -> str:
        """Return at which interval a part is recorded, in words; nothing for the usual one."""
        if part not in self.intervals:
            return ""
        every, since = self.intervals[part]
        often = f"every {ordinal(every)} {unit}" if every > 1 else f"again every {unit}"
        return f"; to keep within the budget {often} from step {since:,}"

    def off(self, metric: str) -> str:
        """Return why a metric computes nothing at all, or nothing where it does."""
        if metric not in self.computed:
            return "not among the metrics of this run: metrics=... chooses them"
        if metric in self.failed:
            return "autotrack's own part for it failed, see below"
        if "capture" in self.failed:
            return "the capture failed, see below"
        return ""
