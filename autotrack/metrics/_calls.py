"""What a metric keeps of criterion calls that are all alike: copies, looked at many at a time."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, ClassVar

from autotrack.keeper import Keeper
from autotrack.metrics._ring import ring_of

if TYPE_CHECKING:
    import torch

    from autotrack.events import CriterionCall, LossComputed
    from autotrack.metrics._ring import Ring


class Calls(Keeper):
    """Copies calls and scores them together when there is no more room.

    Calls that make no table, or are too large to be copied, are scored one by one.
    """

    wants_loss: ClassVar[bool] = True
    #: What `CriterionCall.scores` calls the score.
    key: ClassVar[str]

    def __init__(self) -> None:
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

    def add(self, score: Any) -> None:
        """Add a score to the running pass."""
        raise NotImplementedError

    def prepare(self, event: LossComputed) -> None:
        """Make room for calls like this one."""
        plain = event.prediction.is_contiguous() and event.target.is_contiguous()
        if self.fits(event) and plain:
            ring = ring_of(event.prediction, event.target, self._add_copies)
            if ring.fits:
                self._ring, self.loss = ring, ring.add  # type: ignore[method-assign]

    def loss(self, prediction: Any, target: Any) -> None:
        """Score a call at once."""
        self._scores.append(self.score(prediction, target))

    def fold(self, block: Any, losses: Any, ends: list[float]) -> None:
        """Add the scores of whole steps; copies may wait for more."""
        self._add_scores(len(ends))

    def end(self, call: CriterionCall | None, *, in_step: bool) -> None:
        """Add what is left, less the call of a step under way, which gets its score."""
        ring = self._ring
        if call is not None and ring is not None:
            call.scores[self.key] = self.score_all(*ring.take(ring.used - 1))
        elif call is not None:
            call.scores[self.key] = self._scores.pop()
        self._add_copies()
        self._add_scores(len(self._scores))
        # They hold each other, and the ring's memory would wait for Python to find that out.
        self._ring = None
        vars(self).pop("loss", None)

    def _add_copies(self) -> None:
        if self._ring is not None and self._ring.used:
            self.add(self.score_all(*self._ring.take()))

    def _add_scores(self, number: int) -> None:
        for score in self._scores[:number]:
            self.add(score)
        del self._scores[:number]
