"""Precision-recall curves of each class, for TensorBoard's tab of that name; on request."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import numpy as np
import torch

from autotrack.metrics.on_request._scored import OfScoredBatches, Scored

if TYPE_CHECKING:
    from numpy.typing import NDArray

    from autotrack.events import EvaluationPassEnded, PassDiscarded
    from autotrack.metrics._metric import Surroundings

# TensorBoard's own number: odd, so that one threshold is a half
THRESHOLDS = 127
MOST_CLASSES = 32
_TINY = 1e-7


class PrecisionRecall(OfScoredBatches):
    """`PrecisionRecall/<phase>/<class>`: one curve a class and a pass, each class against the rest.

    A sample counts as found at threshold t where the chance of the class is at least t, for 127
    thresholds from 0 to 1. Of two classes only class 1 has a curve.
    """

    def __init__(self, surroundings: Surroundings) -> None:
        super().__init__(surroundings)
        self._counts: dict[Any, torch.Tensor] = {}

    def scored(self, evaluation: Any, scored: Scored) -> None:
        """Count a batch on its own device, without waiting for it."""
        if scored.chances.shape[1] > MOST_CLASSES:
            why = f"more than {MOST_CLASSES} classes would be as many charts"
            self.surroundings.absent["PrecisionRecall"] = why
            return
        counts = _counts(scored)
        known = self._counts.get(evaluation)
        self._counts[evaluation] = counts if known is None else known + counts

    def evaluation_pass_ended(self, moment: EvaluationPassEnded) -> None:
        """Write the curves of the pass."""
        counts = self._counts.pop(moment.evaluation, None)
        if counts is None:
            return
        host = counts.cpu().numpy()
        for label in range(1 if len(host) == 2 else 0, len(host)):  # noqa: PLR2004 - binary
            tag = f"PrecisionRecall/{moment.phase}{moment.suffix}/{label}"
            moment.row.curves.append((tag, curve(host[label])))

    def pass_discarded(self, moment: PassDiscarded) -> None:
        """Forget a pass that was none."""
        self._counts.pop(moment.evaluation, None)


def _counts(scored: Scored) -> torch.Tensor:
    """Return [classes, 2, thresholds]: samples of other classes and of the class, by chance."""
    chances, labels = scored.chances, scored.labels[:, None]
    classes = torch.arange(chances.shape[1], device=chances.device)
    # The place of the highest threshold that a chance reaches; NaN reaches none but the first.
    place = (chances.nan_to_num(0.0).clamp(0, 1) * (THRESHOLDS - 1)).long()
    index = (classes * 2 + (labels == classes)) * THRESHOLDS + place
    valid = torch.ones_like(labels) if scored.ignored is None else labels != scored.ignored
    total = torch.zeros(len(classes) * 2 * THRESHOLDS, dtype=torch.int64, device=chances.device)
    total.scatter_add_(0, index.reshape(-1), valid.long().expand_as(index).reshape(-1))
    return total.reshape(len(classes), 2, THRESHOLDS)


def curve(counts: NDArray[np.int64]) -> NDArray[np.float64]:
    """Return [6, thresholds] of one class as TensorBoard draws it, from [2, thresholds] counts.

    True positives, false positives, true negatives, false negatives, precision, recall; at a
    threshold that nothing reaches precision is 0, as in TensorBoard's own summaries.
    """
    negatives, positives = counts.astype(np.float64)
    found_wrongly = negatives[::-1].cumsum()[::-1]
    found = positives[::-1].cumsum()[::-1]
    precision = found / np.maximum(_TINY, found + found_wrongly)
    recall = found / np.maximum(_TINY, positives.sum())
    missed, left = positives.sum() - found, negatives.sum() - found_wrongly
    return np.stack([found, found_wrongly, left, missed, precision, recall])
