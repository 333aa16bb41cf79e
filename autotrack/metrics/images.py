"""The first inputs of each evaluation with prediction and label, as one picture; on request."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, NamedTuple

import numpy as np

from autotrack.metrics._grid import draw
from autotrack.metrics._scored import OfScoredBatches, Scored, tensors_of

if TYPE_CHECKING:
    import torch
    from numpy.typing import NDArray

    from autotrack.events import EvaluationPassEnded, PassDiscarded
    from autotrack.metrics._metric import Surroundings

MOST_IMAGES = 16
_MOST_PIXELS = 512
_PICTURE = 3
_CHANNELS = (1, 3)


class _Shown(NamedTuple):
    """Pictures [n, height, width, 3] between 0 and 1, and for each the chance, class and label."""

    pixels: NDArray[np.float32]
    chances: list[float]
    predicted: list[int]
    labels: list[int]


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
        pictures = [t for t in tensors_of(scored.batch) if _is_pictures(t, len(scored.labels))]
        if not pictures:
            self.surroundings.absent["Images"] = "no input of an evaluation was a batch of pictures"
            return
        best = scored.chances[:MOST_IMAGES].max(1)
        self._shown[evaluation] = _Shown(
            _pixels(pictures[0][:MOST_IMAGES]),
            best.values.tolist(),
            best.indices.tolist(),
            scored.labels[:MOST_IMAGES].tolist(),
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


def _is_pictures(tensor: torch.Tensor, samples: int) -> bool:
    if tensor.dim() not in (_PICTURE, _PICTURE + 1) or len(tensor) != samples:
        return False
    if tensor.is_complex() or max(tensor.shape[-2:]) > _MOST_PIXELS or not tensor.numel():
        return False
    return tensor.dim() == _PICTURE or tensor.shape[1] in _CHANNELS


def _pixels(tensor: torch.Tensor) -> NDArray[np.float32]:
    values = tensor.detach().float().cpu().numpy()
    values = values[..., None] if values.ndim == _PICTURE else values.transpose(0, 2, 3, 1)
    values = np.nan_to_num(values, posinf=0.0, neginf=0.0)
    least = values.min((1, 2, 3), keepdims=True)
    spread = values.max((1, 2, 3), keepdims=True) - least
    scaled = (values - least) / np.where(spread > 0, spread, 1)
    return np.broadcast_to(scaled, (*scaled.shape[:3], 3)).astype(np.float32)
