"""Figure of several runs: the loss and the quality of each, in one pair of panels."""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING

from autotrack.reports import canvas, style
from autotrack.reports.curves import draw_line, draw_passes, drawable, name_line
from autotrack.reports.depth import shortened
from autotrack.reports.palette import current
from autotrack.reports.panel import Panel
from autotrack.reports.passes import curves_of
from autotrack.reports.positions import TimeAxis
from autotrack.reports.scales import finite, set_value_axis, wants_log
from autotrack.reports.tags import Curve, evaluations, training

if TYPE_CHECKING:
    from collections.abc import Sequence

    from matplotlib.figure import Figure

    from autotrack.history import History

    Drawn = list[tuple[History, Curve]]

#: Drawn for several runs together, never for a single one.
SEVERAL_RUNS = True

_MOST_RUNS = 8
_SIZE = (10.0, 4.2)
_NAME_LETTERS = 20


def draw(histories: Sequence[History]) -> Figure | None:
    """Draw the first eight runs together, each in a colour of its own; None without numbers.

    The loss is that of the first evaluation, else of training; beside it stands the accuracy, else
    R², where a run has one.
    """
    runs = list(histories)[:_MOST_RUNS]
    found = [(title, _drawn(runs, quantity)) for title, quantity in _QUANTITIES]
    shown = [(title, drawn) for title, drawn in found if drawn]
    if len(shown) > 2:
        shown = shown[:2]
    if not shown:
        return None
    with style.applied():
        figure = canvas.new_figure(_SIZE, head=0.36)
        axes = figure.subplots(1, len(shown), squeeze=False)[0]
        time = _steps(runs)
        panels = [Panel(ax, time, small=True) for ax in axes]
        for panel, (title, drawn) in zip(panels, shown, strict=True):
            _fill(panel, title, drawn)
        left = f", {len(runs)} of {len(histories)}" if len(runs) < len(histories) else ""
        canvas.write_heading(figure, f"Runs Compared{left}")
        canvas.finish(figure, panels)
    return figure


_QUANTITIES = (("Loss", "Loss"), ("Accuracy (%)", "Accuracy"), ("R²", "R2"))


def _drawn(runs: list[History], quantity: str) -> Drawn:
    colours = current().series
    drawn: Drawn = []
    for index, history in enumerate(runs):
        curves = evaluations(history, quantity)
        curves = curves or training(history, "Loss/train_epoch") if quantity == "Loss" else curves
        curves = curves or curves_of(history, quantity)
        curves = curves or (training(history, "Loss/train") if quantity == "Loss" else [])
        if curves:
            name = str(history.run.get("name") or history.directory.name)
            words = f"{shortened(name, _NAME_LETTERS)}\n{curves[0].name}"
            colour = colours[index % len(colours)]
            drawn.append((history, replace(curves[0], name=words, colour=colour)))
    return drawn


def _steps(runs: list[History]) -> TimeAxis:
    """An axis of completed steps: epochs of different runs have different lengths."""
    return TimeAxis({}, max(TimeAxis.of(history).total for history in runs))


def _fill(panel: Panel, title: str, drawn: Drawn) -> None:
    panel.set_title(title)
    values = [curve.series.value for _, curve in drawn]
    log = title == "Loss" and wants_log(values)
    set_value_axis(panel.ax, finite(values), log=log)
    panel.set_time()
    for _, curve in drawn:
        if curve.series.tag.startswith("Loss/train") and len(curve.series) > 300:
            x = panel.time.at(curve.series, curve.stream)
            y = drawable(curve.series.value, log=log)
            draw_line(panel, x, y, curve.colour, width=1.0)
        else:
            x, y = draw_passes(panel, curve, log=log)
        name_line(panel, curve.name, x, y, curve.colour)
