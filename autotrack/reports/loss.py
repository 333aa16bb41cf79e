"""Figure: how the loss developed, in training and evaluation."""

from __future__ import annotations

from typing import TYPE_CHECKING

from autotrack.reports import canvas
from autotrack.reports.curves import draw_means, draw_passes, draw_steps, end_of_line, name_line
from autotrack.reports.events import mark_findings, mark_rates, mark_skipped
from autotrack.reports.highlights import mark_drops, mark_extreme
from autotrack.reports.scales import finite, set_value_axis, wants_log
from autotrack.reports.tags import before_training, evaluations, training

if TYPE_CHECKING:
    from matplotlib.figure import Figure

    from autotrack.history import History
    from autotrack.reports.panel import Panel
    from autotrack.reports.tags import Curve

_MANY_EPOCHS = 20
_MOST_MINIMA = 2


def draw(history: History) -> Figure | None:
    """Draw the loss of every step, its mean an epoch and every evaluation; None without any."""
    return canvas.single(history, fill) if exists(history) else None


def exists(history: History) -> bool:
    """Whether the record holds a loss."""
    return bool(_all(history))


def fill(panel: Panel, history: History) -> None:
    """Draw the loss into a panel."""
    phases = evaluations(history, "Loss")
    panel.set_title("Loss" if phases else "Training Loss")
    panel.set_value_label("Loss")
    values = [curve.series.value for curve in _all(history)]
    log = wants_log(values)
    # The value of the lowest point is best written below it.
    set_value_axis(panel.ax, finite(values), log=log, room=(0.13, 0.07))
    panel.set_time()
    for curve in _training(history):
        _fill_training(panel, history, curve, log=log)
    for curve in phases:
        x, y = draw_passes(panel, curve, log=log, before=before_training(history, "Loss", curve))
        name_line(panel, curve.name, x, y, curve.colour)
        if curve in phases[:_MOST_MINIMA]:
            word = "min" if len(phases) == 1 else f"{curve.name} min"
            mark_extreme(panel, curve, x, y, word)
    mark_findings(panel, history, [*phases, *_training(history)])
    mark_rates(panel, history)
    mark_skipped(panel, history)


def _training(history: History) -> list[Curve]:
    # A record of somebody else's may hold nothing but means over epochs.
    return training(history, "Loss/train") or training(history, "Loss/train_epoch")


def _all(history: History) -> list[Curve]:
    phases = evaluations(history, "Loss")
    before = [before_training(history, "Loss", curve) for curve in phases]
    means = training(history, "Loss/train_epoch")
    return [*_training(history), *means, *phases, *(curve for curve in before if curve)]


def _fill_training(panel: Panel, history: History, curve: Curve, *, log: bool) -> None:
    several = len(history.streams) > 1
    means = _epoch_means(panel, history, curve)
    calm = means is None or len(means.series) < _MANY_EPOCHS
    smoothed = draw_steps(panel, curve, log=log, calm=calm, thin=means is not None)
    name = curve.name if several or evaluations(history, "Loss") else ""
    if means is not None and not (several and smoothed):
        words = [name, panel.time.mean] if name else [panel.time.mean]
        line = draw_means(panel, means, log=log)
        name_line(panel, "\n".join(words), *line, curve.colour)
    elif name:
        name_line(panel, name, *end_of_line(panel, curve, smoothed, log=log), curve.colour)
    x, y = end_of_line(panel, curve, None, log=log)
    mark_extreme(panel, curve, x, y, "min")
    mark_drops(panel, curve, x, y, log=log)


def _epoch_means(panel: Panel, history: History, curve: Curve) -> Curve | None:
    # Where an epoch is one step its mean is the step's loss once more.
    if panel.time.by_epoch or curve.series.tag.startswith("Loss/train_epoch"):
        return None
    found = training(history, "Loss/train_epoch")
    return next((means for means in found if means.stream == curve.stream), None)
