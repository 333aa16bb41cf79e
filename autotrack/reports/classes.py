"""Which pass the figures by class show, the best one of the first evaluation, and class names."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np

from autotrack.findings import last_training
from autotrack.reports.scales import number, whole

if TYPE_CHECKING:
    from numpy.typing import NDArray

    from autotrack.history import History
    from autotrack.series import ConfusionSeries

    Floats = NDArray[np.float64]


@dataclass(frozen=True)
class Shown:
    """One pass of a series of confusion matrices; `phase` as it is named in figures."""

    series: ConfusionSeries
    row: int
    phase: str

    @property
    def counts(self) -> NDArray[np.int64]:
        """Samples by label (row) and prediction (column), shape [classes, classes]."""
        counts: NDArray[np.int64] = self.series.counts[self.row]
        return counts

    @property
    def shares(self) -> Floats:
        """Each row of `counts` in percent of its label's samples; NaN where there are none."""
        totals = self.counts.sum(axis=1, keepdims=True)
        percent = np.full(self.counts.shape, np.nan)
        np.divide(100.0 * self.counts, totals, out=percent, where=totals > 0)
        return percent

    @property
    def text(self) -> str:
        """Which pass it is, and its accuracy: `val · epoch 7, the best · 97.3 % correct`."""
        epoch = int(self.series.epoch[self.row])
        moment = (
            f"epoch {epoch}" if epoch >= 0 else f"step {whole(int(self.series.step[self.row]))}"
        )
        best = ", the best" if len(self.series) > 1 else ""
        correct = number(float(self.series.accuracy[self.row]))
        return f"{self.phase} · {moment}{best} · {correct} % correct"


def best_evaluation(history: History) -> Shown | None:
    """The pass with the highest accuracy of the first evaluation, else of training.

    Of several trainings in turn it is one of the last.
    """
    history = last_training(history)
    known = [phase for phase in history.confusion if not phase.endswith("_initial")]
    ours = [phase for phase in known if phase.partition("/")[0] not in ("train", "train_eval")]
    for phase in [*ours, *known]:
        accuracy = history.confusion[phase].accuracy
        if np.isfinite(accuracy).any():
            return Shown(history.confusion[phase], int(np.nanargmax(accuracy)), phase)
    return None


def training_beside(history: History, shown: Shown) -> Shown | None:
    """The training pass that ended at the same steps, if its matrix was kept."""
    series = history.confusion.get("train")
    if series is None or series is shown.series or series.counts.shape[1:] != shown.counts.shape:
        return None
    rows = np.flatnonzero(series.step == shown.series.step[shown.row])
    return Shown(series, int(rows[-1]), "train") if len(rows) else None


def class_names(history: History, count: int) -> list[str] | None:
    """The names of so many classes; None where the record has none, or several lists of them."""
    known = history.run.get("classes")
    lists = known if isinstance(known, list) else []
    fitting = [names for names in lists if isinstance(names, list) and len(names) == count]
    return [str(name) for name in fitting[0]] if len(fitting) == 1 else None
