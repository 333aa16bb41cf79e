"""The numbers of every epoch as a table, for reading without the curves."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np

from autotrack.reports.positions import is_per_step
from autotrack.reports.scales import number, whole

if TYPE_CHECKING:
    from autotrack.history import History

_MOST_ROWS = 100
_MOST_COLUMNS = 12
_QUANTITIES = ("Loss", "Accuracy", "R2", "MAE")


@dataclass(frozen=True)
class EpochTable:
    """Values by epoch: `rows` are (epoch, steps, values); `left_out` epochs are not listed."""

    columns: list[str]
    rows: list[tuple[str, str, list[str]]]
    left_out: int


def by_epoch(history: History) -> EpochTable | None:
    """The table of all series that have one value an epoch; None without any."""
    columns: dict[str, dict[int, str]] = {}
    steps: dict[int, int] = {}
    for tag, series in history.items():
        group, _, name = tag.partition("/")
        known = series.epoch[series.epoch >= 0]
        if group not in _QUANTITIES or tag == "Loss/train" or is_per_step(f"{tag}/"):
            continue
        if not len(known) or len(np.unique(known)) < len(known) or name.endswith("_initial"):
            continue
        title = f"{group} {name}".replace("Loss train_epoch", "Loss train")
        columns[title] = {
            int(epoch): number(float(value), 4)
            for epoch, value in zip(series.epoch, series.value, strict=True)
        }
        steps.update(zip(series.epoch.tolist(), series.step.tolist(), strict=True))
        if len(columns) == _MOST_COLUMNS:
            break
    if not columns:
        return None
    epochs = sorted(steps)
    picked = np.unique(np.linspace(0, len(epochs) - 1, min(_MOST_ROWS, len(epochs))).astype(int))
    rows = [
        (str(e), whole(steps[e]), [values.get(e, "") for values in columns.values()])
        for e in (epochs[index] for index in picked)
    ]
    return EpochTable(list(columns), rows, len(epochs) - len(rows))
