"""What autotrack's own work takes of a loop's time, in all and by part."""

from __future__ import annotations

import time
from collections import defaultdict
from dataclasses import asdict, dataclass, field
from typing import TYPE_CHECKING, Any

from autotrack import events as e
from autotrack.jsontext import dumps

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping

    from autotrack.guard import Guard, Handlers

_SNAPSHOTS = (e.SnapshotBegan, e.SnapshotGradients, e.SnapshotTaken)
# What is rare, or what the budget must know to the point, is timed each time: sampling steps would
# miss it or count it many times over.
_EXACT = (
    *_SNAPSHOTS,
    e.GradientsReady,
    e.GradientsBeforeClipping,
    e.GraphSeen,
    e.EvaluationBatchSeen,
    e.EvaluationPassEnded,
    e.OutputSeen,
    e.PassDiscarded,
)
# Timing all parts of a step takes so long; it may take this share of the steps' time.
_TIMING = 5e-6
_SHARE_FOR_TIMING = 0.002
# Multiples of it spread evenly between 0 and 1, so no rhythm of the loop is met or missed.
_GOLDEN = 0.6180339887498949


@dataclass(frozen=True)
class Cost:
    """Autotrack's own time in the loop.

    `seconds` of this process, the `share` of `loop_seconds` (from the first event to the last) that
    they are, and the seconds of each of the `parts`: `capture`, `writing`, the metrics, and
    `settled steps`, which is all of the steps that went like those before but their gradient
    norms. Parts of other steps are measured at some steps and scaled up to all; the sum of all
    parts is `seconds`.
    """

    seconds: float = 0.0
    share: float = 0.0
    loop_seconds: float = 0.0
    parts: dict[str, float] = field(default_factory=dict)

    def json(self) -> str:
        """Return it as the record keeps it."""
        return dumps(asdict(self))

    def __str__(self) -> str:
        whole = f"{100 * self.share:.2g} % of the loop's time ({self.seconds:.3g} s)"
        dearest = sorted(self.parts.items(), key=lambda part: -part[1])
        return "\n".join([whole, *(f"  {name}: {took:.3g} s" for name, took in dearest)])


class Meter:
    """Adds up what a run says of its own time, and samples by part."""

    def __init__(self, clock: Callable[[], float] = time.perf_counter) -> None:
        self._clock = clock
        #: Own seconds in the loop; when its first event began and its last one was over.
        self.seconds = 0.0
        self.first: float | None = None
        self.latest = 0.0
        self.steps = 0
        #: Measured each time, by part; `in_snapshots` is what of it only snapshots take, and
        #: `last_snapshot` when the last one was over.
        self.exact: defaultdict[str, float] = defaultdict(float)
        self.in_snapshots = 0.0
        self.last_snapshot = 0.0
        self._sampled: defaultdict[str, float] = defaultdict(float)
        # Own seconds of the sampled steps, without what is measured each time.
        self._own_sampled = 0.0
        self._began: float | None = None
        self._next = 2
        self._samples = 0
        self._handlers: Handlers = {}
        self._plain: Handlers = {}
        self._timed: Handlers = {}

    def divide(self, handlers: Handlers, names: Mapping[str, str], guard: Guard) -> None:
        """Measure the parts that have names among these handlers, from now on.

        `guard` is told of the handlers that stand in for them.
        """
        handlers.setdefault(e.StepTaken, [])
        timed: Handlers = {}
        for kind, pairs in handlers.items():
            into = self.exact if kind in _EXACT else self._sampled
            timed[kind] = [
                (part, self._watched(names[part], call, into) if part in names else call)
                for part, call in pairs
            ]
            if kind in _SNAPSHOTS:
                timed[kind] = [(part, self._at_snapshots(call)) for part, call in timed[kind]]
        handlers.update({kind: pairs for kind, pairs in timed.items() if kind in _EXACT})
        self._timed = {kind: pairs for kind, pairs in timed.items() if kind not in _EXACT}
        for known in (handlers, self._timed):
            known[e.StepTaken].append(("cost", self._step_taken))
        self._handlers = handlers
        self._plain = {kind: list(handlers[kind]) for kind in self._timed}
        guard.hand_out(self._plain)
        guard.hand_out(self._timed)

    def add(self, part: str, seconds: float) -> None:
        """Count seconds of a part that is measured each time."""
        self.exact[part] += seconds

    @property
    def cost(self) -> Cost:
        """What it came to so far."""
        parts = dict(self.exact)
        rest = max(self.seconds - sum(parts.values()), 0.0)
        if self._own_sampled > 0:
            for part, seconds in self._sampled.items():
                parts[part] = parts.get(part, 0.0) + rest * min(seconds / self._own_sampled, 1.0)
        parts["capture"] = max(self.seconds - sum(parts.values()), 0.0)
        loop = self.latest - self.first if self.first is not None else 0.0
        share = self.seconds / loop if loop > 0 else 0.0
        return Cost(self.seconds, share, loop, parts)

    def _watched(
        self, part: str, call: Callable[[Any], object], into: dict[str, float]
    ) -> Callable[[Any], None]:
        clock = self._clock

        def watched(moment: Any) -> None:
            began = clock()
            call(moment)
            into[part] += clock() - began

        return watched

    def _at_snapshots(self, call: Callable[[Any], object]) -> Callable[[Any], None]:
        clock = self._clock

        def watched(moment: Any) -> None:
            began = clock()
            call(moment)
            self.last_snapshot = ended = clock()
            self.in_snapshots += ended - began

        return watched

    def _step_taken(self, _: e.StepTaken) -> None:
        self.steps += 1
        if self.steps >= self._next:
            self._turn()

    def _turn(self) -> None:
        """Begin to time the parts of a step, or end it: by exchanging the handlers of the loop."""
        own = self.seconds - sum(self.exact.values())
        if self._began is None:
            self._began, self._next = own, self.steps + 1
            self._handlers.update(self._timed)
            return
        self._own_sampled += max(own - self._began, 0.0)
        self._began = None
        self._handlers.update(self._plain)
        self._samples += 1
        self._next = self.steps + self._gap()

    def _gap(self) -> int:
        """Steps to the next sample: every step where steps are long, about every 25th of 100 us."""
        if self.first is None or self.latest <= self.first:
            return 1
        step = (self.latest - self.first) / self.steps
        mean = _TIMING / (_SHARE_FOR_TIMING * step)
        return max(round(mean * (0.5 + self._samples * _GOLDEN % 1)), 1)
