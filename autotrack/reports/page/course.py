"""The course of the run for the page's script: epochs, and the time at each position."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import numpy as np

if TYPE_CHECKING:
    from autotrack.history import History
    from autotrack.reports.page.scale import RunScale

_MOST_EPOCHS = 4000
_MOMENTS = 400


def course(history: History, run: RunScale) -> dict[str, Any]:
    """Limits of the axis, epochs, where trainings begin, and seconds since the start at places."""
    axis, epochs = run.axis, run.axis.epochs
    known = None
    if epochs is not None and len(epochs.numbers) <= _MOST_EPOCHS:
        known = {"numbers": epochs.numbers.tolist(), "starts": epochs.starts.tolist()}
    return {
        "low": run.low,
        "high": run.high,
        "total": int(axis.total),
        "byEpoch": axis.by_epoch,
        "partings": axis.partings().tolist(),
        "between": axis.lines_between().tolist(),
        "epochs": known,
        "time": _times(history, run),
    }


def _times(history: History, run: RunScale) -> dict[str, list[float]] | None:
    """Seconds at some positions, both increasing; None where the record's clock says nothing."""
    longest = max(history.values(), key=len, default=None)
    if longest is None or len(longest) < 2:
        return None
    stream = next((s for s in history.streams if s and s in longest.tag.split("/")), "")
    positions = run.axis.at(longest, stream)
    picked = np.unique(np.linspace(0, len(longest) - 1, _MOMENTS).astype(int))
    at, seconds = positions[picked], longest.time[picked]
    seconds = np.maximum.accumulate(seconds) - float(history.run.get("started", seconds[0]))
    kept = np.append(True, np.diff(np.maximum.accumulate(at)) > 0)
    at, seconds = at[kept], seconds[kept]
    if len(at) < 2 or not np.isfinite(seconds).all() or seconds[-1] <= seconds[0]:
        return None
    return {"at": at.tolist(), "seconds": np.round(seconds, 3).tolist()}
