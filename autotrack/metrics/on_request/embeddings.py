"""Features of the last evaluation for TensorBoard's projector; on request."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, ClassVar, NamedTuple

import numpy as np
import torch

from autotrack.dtensors import is_spread
from autotrack.events import FeaturesSeen, RunEnded
from autotrack.metrics.on_request._pictures import is_pictures, pixels_of
from autotrack.metrics.on_request._scored import OfScoredBatches, Scored, tensors_of

if TYPE_CHECKING:
    from numpy.typing import NDArray

    from autotrack.events import EvaluationPassEnded, PassDiscarded
    from autotrack.metrics._metric import Surroundings
    from autotrack.metrics.on_request import _projector

MOST_SAMPLES = 2000
MOST_NUMBERS = 2_000_000
_MATRIX = 2
# The longer side of a picture in the projector.
_MOST_PIXELS = 32


class _Kept(NamedTuple):
    """Samples of one batch: features [n, width], labels, predicted classes, small pictures."""

    features: NDArray[np.float32]
    labels: list[str]
    predicted: list[str]
    pictures: NDArray[np.float32] | None


class Embeddings(OfScoredBatches):
    """What the model's last linear layer took in the last pass of each evaluation.

    At most 2,000 samples of a pass, fewer of very wide features. At the end of the run they are
    written beside the record as TensorBoard's projector reads them: tensors, labels, a
    configuration, and where the inputs are pictures an image of small ones.
    """

    listens: ClassVar[dict[type, str]] = {
        **OfScoredBatches.listens,
        FeaturesSeen: "features_seen",
        RunEnded: "run_ended",
    }

    def __init__(self, surroundings: Surroundings) -> None:
        super().__init__(surroundings)
        self._features: torch.Tensor | None = None
        self._running: dict[Any, list[_Kept]] = {}
        self._passes: dict[str, list[_Kept]] = {}

    def features_seen(self, moment: FeaturesSeen) -> None:
        """Hold the features of the batch in hand until it is scored."""
        features = moment.features
        is_matrix = isinstance(features, torch.Tensor) and features.dim() == _MATRIX
        is_matrix = is_matrix and not is_spread(features)
        self._features = features.detach() if is_matrix else None

    def scored(self, evaluation: Any, scored: Scored) -> None:
        """Copy the features of a batch, as long as there is room."""
        features, self._features = self._features, None
        if features is None or len(features) != len(scored.labels):
            self.surroundings.absent["Embeddings"] = (
                "no last linear layer of the model took one row for each label"
            )
            return
        kept = self._running.setdefault(evaluation, [])
        most = min(MOST_SAMPLES, MOST_NUMBERS // max(features.shape[1], 1))
        room = most - sum(len(one.labels) for one in kept)
        if room > 0:
            rows = features[:room].float().cpu().numpy().copy()
            say = self.class_names(scored)
            labels = say(scored.labels[:room].tolist())
            predicted = say(scored.predicted[:room].tolist())
            kept.append(_Kept(rows, labels, predicted, _pictures(scored, room)))

    def evaluation_pass_ended(self, moment: EvaluationPassEnded) -> None:
        """Keep the pass as the last of its phase."""
        kept = self._running.pop(moment.evaluation, None)
        if kept and not moment.suffix:
            self._passes[moment.phase] = kept

    def pass_discarded(self, moment: PassDiscarded) -> None:
        """Forget a pass that was none."""
        self._running.pop(moment.evaluation, None)

    def run_ended(self, moment: RunEnded) -> None:
        """Write the projector's files, unless this process records nothing."""
        directory = self.surroundings.directory()
        if directory is None or not self._passes:
            return
        points = {phase: _joined(kept) for phase, kept in self._passes.items()}
        from autotrack.metrics.on_request import _projector

        _projector.write(directory, points)
        moment.row.hidden.append(("autotrack/embeddings", list(points)))


def _joined(kept: list[_Kept]) -> _projector.Points:
    # The layer may differ between passes of two models: only rows of one width go together.
    width = kept[0].features.shape[1]
    same = [one for one in kept if one.features.shape[1] == width]
    from autotrack.metrics.on_request import _projector

    return _projector.Points(
        np.concatenate([one.features for one in same]),
        [label for one in same for label in one.labels],
        [label for one in same for label in one.predicted],
        _joined_pictures([one.pictures for one in same]),
    )


def _joined_pictures(all_of_them: list[NDArray[np.float32] | None]) -> NDArray[np.float32] | None:
    known = [pictures for pictures in all_of_them if pictures is not None]
    if len(known) < len(all_of_them) or len({pictures.shape[1:] for pictures in known}) != 1:
        return None
    return np.concatenate(known)


def _pictures(scored: Scored, room: int) -> NDArray[np.float32] | None:
    """The inputs of a batch as small pictures [n, height, width, 3], if that is what they are."""
    found = [t for t in tensors_of(scored.batch) if is_pictures(t, len(scored.labels))]
    if not found:
        return None
    stride = -(-max(found[0].shape[-2:]) // _MOST_PIXELS)
    return pixels_of(found[0][:room, ..., ::stride, ::stride])
