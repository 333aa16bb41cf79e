"""Figure: how the loss developed, in training and evaluation."""

from __future__ import annotations

import numpy as np
from matplotlib.figure import Figure

from autotrack.history import History
from autotrack.report import canvas
from autotrack.report.curves import draw_passes, draw_steps, drawable, name_line
from autotrack.report.highlights import mark_drops, mark_extreme
from autotrack.report.panel import Panel
from autotrack.report.scales import finite, set_value_axis, wants_log, whole
from autotrack.report.tags import Curve, evaluations, initial, training


def draw(history: History) -> Figure | None:
    """Draw the loss of every step, its mean an epoch and every evaluation; None without any loss."""
    return canvas.single(history, fill) if exists(history) else None


def exists(history: History) -> bool:
    """Whether the record holds a loss."""
    return bool(_all(history))


def fill(panel: Panel, history: History) -> None:
    """Draw the loss into a panel."""
    phases = evaluations(history, "Loss")
    canvas.set_title(panel.ax, "Loss" if phases else "Training Loss")
    panel.ax.set_ylabel("Loss")
    values = [curve.series.value.astype(np.float64) for curve in _all(history)]
    log = wants_log(values)
    set_value_axis(panel.ax, finite(values), log)
    panel.set_time()
    for curve in training(history, "Loss/train"):
        _fill_training(panel, history, curve, log, bool(phases))
    for curve in phases:
        x, y = draw_passes(panel, curve, log, _before(history, curve))
        name_line(panel, curve.name, x, y, curve.colour)
        mark_extreme(panel, curve, x, y, "min")


def _all(history: History) -> list[Curve]:
    steps = training(history, "Loss/train") + training(history, "Loss/train_epoch")
    return steps + evaluations(history, "Loss")


def _before(history: History, curve: Curve) -> Curve | None:
    series = initial(history, "Loss", curve.name)
    return None if series is None else Curve(series, "", curve.name, curve.colour, curve.marker)


def _fill_training(panel: Panel, history: History, curve: Curve, log: bool, evaluated: bool) -> None:
    means = _epoch_means(panel, history, curve)
    smoothed = draw_steps(panel, curve, log, quiet=means is not None and len(means.series) > 20)
    x, y = panel.time.at(curve.series, curve.stream), drawable(curve.series.value, log)
    several = evaluated or len(history.streams) > 1
    prefix = f"{curve.name}, " if several else ""
    if means is not None:
        name_line(panel, f"{prefix}epoch mean", *draw_passes(panel, means, log), curve.colour)
    if smoothed is not None:
        name_line(panel, f"{prefix}±{whole(smoothed.reach)} steps", smoothed.x, smoothed.y, curve.colour)
    if means is None and smoothed is None and several:
        name_line(panel, curve.name, x, y, curve.colour)
    mark_extreme(panel, curve, x, y, "min")
    mark_drops(panel, x, y, log)


def _epoch_means(panel: Panel, history: History, curve: Curve) -> Curve | None:
    # Where an epoch is one step its mean is the step's loss once more.
    if panel.time.by_epoch:
        return None
    tag = f"Loss/train_epoch/{curve.stream}" if curve.stream else "Loss/train_epoch"
    series = history.get(tag)
    if series is None or not len(series):
        return None
    return Curve(series, curve.stream, curve.name, curve.colour)
