"""What a metric keeps of criterion calls that are all alike: copies, looked at many at a time."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, ClassVar

from autotrack.keeper import Keeper, Steps

if TYPE_CHECKING:
    from collections.abc import Callable

    import torch

    from autotrack.block import Block
    from autotrack.events import CriterionCall, LossComputed
    from autotrack.metrics._ring import Ring, Rings


class Calls(Keeper):
    """Copies calls and scores them together when there is no more room.

    Calls that make no table, or are too large to be copied, are scored one by one. With `each`,
    every call is a training pass.
    """

    wants_loss: ClassVar[bool] = True
    #: What `CriterionCall.scores` calls the score.
    key: ClassVar[str]

    def __init__(self, rings: Rings, pattern: Any, call: int) -> None:
        """`rings` are the metric's, for all its keepers one after another."""
        self._rings, self._each = rings, pattern.each
        self.call, self._calls, self._backwards = call, len(pattern.calls), pattern.backwards
        self._scores: list[Any] = []
        self._ring: Ring | None = None

    def fits(self, event: LossComputed) -> bool:
        """Whether calls like this one may be scored together."""
        raise NotImplementedError

    def score(self, prediction: Any, target: Any) -> Any:
        """Return what one call comes to."""
        raise NotImplementedError

    def score_all(self, predictions: torch.Tensor, targets: torch.Tensor) -> Any:
        """Return what several calls come to, [calls, ...]; the tensors are used again."""
        raise NotImplementedError

    def score_each(self, predictions: torch.Tensor, targets: torch.Tensor) -> list[Any]:
        """Return what each of several calls comes to, [calls, ...]; the tensors are used again."""
        return [self.score(*call) for call in zip(predictions, targets, strict=True)]

    def add(self, score: Any) -> None:
        """Add a score to the running pass."""
        raise NotImplementedError

    def write(self, passes: Block, scores: list[Any]) -> None:
        """Add the columns of passes that have one score each."""
        raise NotImplementedError

    def prepare(self, event: LossComputed) -> None:
        """Make room for calls like this one."""
        plain = event.prediction.is_contiguous() and event.target.is_contiguous()
        if self.fits(event) and plain:
            self._ring = self._room(event.prediction, event.target)
            if self._ring is not None:
                self.loss = self._ring.add  # type: ignore[method-assign]

    def _room(self, prediction: torch.Tensor, target: torch.Tensor) -> Ring | None:
        """Return room for calls like this one: for those of whole steps, so that none is parted."""
        return self._rings.get(prediction, target, self._add_copies, self._backwards)

    def loss(self, prediction: Any, target: Any) -> None:
        """Score a call at once."""
        self._scores.append(self.score(prediction, target))

    def fold(self, steps: Steps) -> None:
        """Add the scores of whole steps; copies may wait for more unless each is a pass."""
        count = len(steps.ends) * self._backwards
        if steps.passes is not None:
            self._add_copies()
            if len(steps.passes):
                self.write(steps.passes, self._scores[: count - 1])
            del self._scores[: count - 1]
            count = 1
        self._add_scores(count)

    def end(self, calls: list[CriterionCall], *, in_step: bool) -> None:
        """Add what is left, less the calls of a step under way, which get their scores."""
        calls = calls[self.call :: self._calls]
        if self._each:
            self._add_copies()
        ring = self._ring
        if calls and ring is not None and not self._each:
            copies = ring.take(ring.used - len(calls))
            for place, call in enumerate(calls):
                call.scores[self.key] = self.score_all(*(one[place : place + 1] for one in copies))
        elif calls:
            for place, call in enumerate(calls, len(self._scores) - len(calls)):
                call.scores[self.key] = self._scores[place]
            del self._scores[-len(calls) :]
        self._add_copies()
        self._add_scores(len(self._scores))
        # They hold each other, and the ring's memory would wait for Python to find that out.
        if ring is not None:
            self._rings.put_back(ring)
        self._ring = None
        vars(self).pop("loss", None)

    def _add_copies(self) -> None:
        if self._ring is None or not self._ring.used:
            return
        copies = self._ring.take()
        if self._each:
            self._scores += self.score_each(*copies)
        else:
            self.add(self.score_all(*copies))

    def _add_scores(self, number: int) -> None:
        for score in self._scores[:number]:
            self.add(score)
        del self._scores[:number]


def one_place(parts: list[Any]) -> list[Any]:
    """Return the calls that count: all at one place, or one of several on the same data."""
    if len({id(part.site) for part in parts}) == 1:
        return parts
    same = len({(part.prediction_key, part.target_key) for part in parts}) == 1
    return parts[:1] if same else []


def keeper_of(
    key: str,
    pattern: Any,
    choose: Callable[[list[Any]], list[Any]],
    running: Callable[[Any], Any],
    make: Callable[[int], Keeper],
) -> Keeper | None:
    """Return what keeps the scores called `key` of a pattern; None where several calls count.

    `choose` says which of those that are scored count, `running` gives what the stream's running
    pass counts, and `make` a keeper of the call at a place.
    """
    scored = pattern.scored(key)
    if not scored:
        return Keeper()
    shown = choose([pattern.calls[place] for place in scored])
    if len(shown) > 1:
        return None
    return make(scored[0]) if shown else Uncounted(key, pattern, running)


class Uncounted(Keeper):
    """Several calls of one loss have a score, and nothing says which of them counts."""

    def __init__(self, key: str, pattern: Any, running: Callable[[Any], Any]) -> None:
        """`running` gives what the stream's running pass counts."""
        self._key, self._pattern, self._running = key, pattern, running

    def fold(self, steps: Steps) -> None:
        """Let the pass have no score."""
        self._running(self._pattern.stream).known = False

    def end(self, calls: list[CriterionCall], *, in_step: bool) -> None:
        """Say that each has a score, and that it is not known."""
        for place, call in enumerate(calls):
            if self._key in self._pattern.calls[place % len(self._pattern.calls)].scores:
                call.scores[self._key] = None
