"""Weights that no optimizer holds: below which losses they lie, and when others follow them.

That a person moves them shows only after the first backward: until then its step is not taken.
"""

from __future__ import annotations

import operator
from collections import Counter
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any
from weakref import ref

from autotrack import graph
from autotrack.capture.streams import marks_of
from autotrack.identity import Registry

if TYPE_CHECKING:
    from autotrack.capture.moved import Before
    from autotrack.capture.streams import Stream
    from autotrack.events import TrainBatch
    from autotrack.frames import Line
    from autotrack.loopscope import Shown, Site

# So many steps must have kept weights before new ones can be those of a new model.
_KEPT = 2
# After so many backward calls that moved nothing a place is known to move nothing.
_IDLE = 16


@dataclass(slots=True, eq=False, repr=False)
class Maybe:
    """A backward to weights that no optimizer holds: a step, if these weights move.

    `shown` and `again` are what its loop and its loader said of it, `loader` is the number of the
    latter, and `snapshot` says whether one was due.
    """

    batch: TrainBatch
    leaves: list[Any]
    loader: int | None
    shown: Shown | None
    again: bool
    stream: Stream | None = None
    before: Before | None = None
    snapshot: bool = False


class ByHand:
    """What is known of weights that a person moves: by call site, the leaves below the loss."""

    def __init__(self) -> None:
        #: Whether weights are moved by hand now, and every backward to them is a step.
        self.is_so = False
        #: Whether they were at any time.
        self.ever = False
        #: The backward that may turn out to be a step.
        self.maybe: Maybe | None = None
        self._idle: Counter[int] = Counter()
        self._below: dict[int, list[ref[Any]]] = {}
        # What tells whether these are still the ones, and the loss that they are looked for below.
        self._marks: list[tuple[int, int]] = []
        self._losses: list[ref[Any]] = []
        # Places outside of every loop where such a loss was backwarded, by value because a notebook
        # compiles a cell anew each time.
        self._once: set[tuple[Line, ...]] = set()
        # All that were moved, where last, and at how many steps some were moved once more.
        self._moved = Registry()
        self._last: Site | None = None
        self._kept = 0

    def has(self, site: Site) -> bool:
        """Whether a backward at `site` is known to be a step by hand."""
        return id(site) in self._below

    def comes_once(self, site: Site) -> bool:
        """Whether a backward is outside of every loop, and comes there for the first time."""
        if not site.is_readable or site.loops or site.lines in self._once:
            return False
        self._once.add(site.lines)
        return True

    def is_idle(self, site: Site) -> bool:
        """Whether backward calls at `site` have moved nothing, often enough not to look again."""
        return self._idle[id(site)] >= _IDLE

    def moved_nothing(self, site: Site) -> None:
        """The next backward came, and the weights below the one before are what they were."""
        self._idle[id(site)] += 1

    def add(self, site: Site, leaves: list[Any]) -> None:
        """Let each backward at `site` be a step of `leaves`."""
        self.is_so = self.ever = True
        self._below[id(site)] = [ref(leaf) for leaf in leaves]

    def forget(self) -> None:
        """An optimizer steps for these weights after all."""
        self._below.clear()

    def backward_ahead(self, site: Site, losses: tuple[Any, ...]) -> None:
        """Remember what the backward at `site` will change."""
        if (known := self._below.get(id(site))) is not None:
            self._marks = marks_of(_alive(known))
            self._losses = [ref(loss) for loss in losses]

    def under_way(self, marks: list[tuple[int, int]], loss: ref[Any]) -> None:
        """A backward of `loss` runs whose beginning was seen elsewhere, with these marks."""
        self._marks, self._losses = marks, [loss]

    def kept(self, steps: int) -> None:
        """So many steps have moved the weights that were moved before."""
        self._kept += steps

    def weights(self, site: Site) -> list[Any]:
        """Return the leaves to which the backward at `site` has brought gradients."""
        known = self._below[id(site)]
        held = _alive(known)
        if len(held) < len(known) or any(map(operator.eq, self._marks, marks_of(held))):
            # One got no gradient: `w = (w - rate * w.grad).requires_grad_()` makes a new one.
            held = graph.leaves(_alive(self._losses))
            self._below[id(site)] = [ref(leaf) for leaf in held]
        return held

    def begins_anew(self, site: Site, weights: list[Any]) -> bool:
        """Whether a step moves weights of a new model: none was moved before, as others were.

        Two models that are moved in turn share a loop. Weights that are new tensors at each step
        are never known to be others.
        """
        last, self._last = self._last, site
        unseen = [weight for weight in weights if self._moved.get(weight) is None]
        for weight in unseen:
            self._moved.set(weight, value=True)
        if len(unseen) < len(weights):
            self._kept += 1
            return False
        kept, self._kept = self._kept, 0
        if last is None or kept < _KEPT:
            return False
        return last is site or not last.shares_loop(site)


def _alive(known: list[ref[Any]]) -> list[Any]:
    return [thing for held in known if (thing := held()) is not None]
