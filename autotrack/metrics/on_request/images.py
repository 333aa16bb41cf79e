"""The first inputs of each evaluation with prediction and label, as one picture; on request."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, NamedTuple

from autotrack.metrics.on_request._grid import draw
from autotrack.metrics.on_request._pictures import is_pictures, pixels_of
from autotrack.metrics.on_request._scored import OfScoredBatches, Scored, tensors_of

if TYPE_CHECKING:
    import numpy as np
    from numpy.typing import NDArray

    from autotrack.events import EvaluationPassEnded, PassDiscarded
    from autotrack.metrics._metric import Surroundings

MOST_IMAGES = 16


class _Shown(NamedTuple):
    """Pictures [n, height, width, 3] between 0 and 1, and for each the chance, class and label."""

    pixels: NDArray[np.float32]
    chances: list[float]
    predicted: list[str]
    labels: list[str]


class Images(OfScoredBatches):
    """`Images/<phase>`: up to 16 inputs of a pass's first batch, one picture a pass.

    Every input is spread over the whole range from black to white, because what a loader gives is
    normalised as a rule. Inputs are [samples, 1 or 3, height, width] or [samples, height, width].
    """

    def __init__(self, surroundings: Surroundings) -> None:
        super().__init__(surroundings)
        self._shown: dict[Any, _Shown | None] = {}

    def scored(self, evaluation: Any, scored: Scored) -> None:
        """Copy the first inputs of a pass."""
        if evaluation in self._shown:
            return
        self._shown[evaluation] = None
        pictures = [t for t in tensors_of(scored.batch) if is_pictures(t, len(scored.labels))]
        if not pictures:
            self.surroundings.absent["Images"] = (
                "batches were drawn ahead of their use, or come from no loader"
                if scored.batch is None
                else "no input of an evaluation was a batch of pictures"
            )
            return
        best = scored.chances[:MOST_IMAGES].max(1)
        say = self.class_names(scored)
        self._shown[evaluation] = _Shown(
            pixels_of(pictures[0][:MOST_IMAGES]),
            best.values.tolist(),
            say(best.indices.tolist()),
            say(scored.labels[:MOST_IMAGES].tolist()),
        )

    def evaluation_pass_ended(self, moment: EvaluationPassEnded) -> None:
        """Draw and write the picture of the pass."""
        shown = self._shown.pop(moment.evaluation, None)
        if shown is not None:
            tag = f"Images/{moment.phase}{moment.suffix}"
            moment.row.images.append((tag, draw(*shown)))

    def pass_discarded(self, moment: PassDiscarded) -> None:
        """Forget a pass that was none."""
        self._shown.pop(moment.evaluation, None)
