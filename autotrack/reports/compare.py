"""Figure of several runs: the loss and the quality of each, and a table of what they reached."""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING, Any

from autotrack.comparison import Comparison, compare
from autotrack.reports import canvas, style
from autotrack.reports.curves import draw_line, draw_passes, drawable, name_line
from autotrack.reports.depth import shortened
from autotrack.reports.palette import current
from autotrack.reports.panel import Panel
from autotrack.reports.passes import curves_of
from autotrack.reports.positions import TimeAxis
from autotrack.reports.scales import finite, number, set_value_axis, wants_log
from autotrack.reports.style import letters
from autotrack.reports.tags import Curve, evaluations, training

if TYPE_CHECKING:
    from collections.abc import Sequence

    from matplotlib.axes import Axes
    from matplotlib.figure import Figure

    from autotrack.history import History

    Drawn = list[tuple[History, Curve]]

#: Drawn for several runs together, never for a single one.
SEVERAL_RUNS = True

_MOST_RUNS = 8
_WIDTH = 10.0
_HEAD, _PANELS, _ROW = 0.36, 3.84, 0.24
_NAME_LETTERS = 20
# Of the table below: columns beside the names, those of best values among them, letters of each.
_MOST_COLUMNS, _MOST_BEST, _LETTERS = 5, 3, 21
_NAME_WIDTH = 0.24


def draw(histories: Sequence[History]) -> Figure | None:
    """Draw the first eight runs together, each in a colour of its own; None without numbers.

    The loss is that of the first evaluation, else of training; beside it stands the accuracy, else
    R², where a run has one. Below are the best values of each run and where the runs differ.
    """
    runs = list(histories)[:_MOST_RUNS]
    found = [(title, _drawn(runs, quantity)) for title, quantity in _QUANTITIES]
    shown = [(title, drawn) for title, drawn in found if drawn]
    if len(shown) > 2:
        shown = shown[:2]
    if not shown:
        return None
    with style.applied():
        below = _ROW * (len(runs) + 2)
        figure = canvas.new_figure((_WIDTH, _HEAD + _PANELS + below), head=_HEAD)
        rows = figure.add_gridspec(2, 1, height_ratios=[_PANELS, below])
        axes = rows[0].subgridspec(1, len(shown)).subplots(squeeze=False)[0]
        time = _steps(runs)
        panels = [Panel(ax, time, small=True) for ax in axes]
        for panel, (title, drawn) in zip(panels, shown, strict=True):
            _fill(panel, title, drawn)
        left = f", {len(runs)} of {len(histories)}" if len(runs) < len(histories) else ""
        canvas.write_heading(figure, f"Runs Compared{left}")
        _write_table(figure.add_subplot(rows[1]), compare(runs))
        canvas.finish(figure, panels)
    return figure


def _write_table(ax: Axes, comparison: Comparison) -> None:
    """Write a row a run: the best values, the best of all in bold, then settings that differ."""
    ax.set_axis_off()
    columns = _columns(comparison)
    lines = len(comparison.names) + 1
    colours = current().series
    width = (1.0 - _NAME_WIDTH) / max(len(columns), 1)
    for line, name in enumerate(comparison.names, 1):
        colour = letters(colours[(line - 1) % len(colours)])
        _write_cell(ax, 0.0, line / lines, shortened(name, _NAME_LETTERS + 8), color=colour)
    for index, (title, cells, best) in enumerate(columns):
        x = _NAME_WIDTH + index * width
        _write_cell(ax, x, 0.0, shortened(title, _LETTERS), color=current().soft_ink)
        for line, cell in enumerate(cells, 1):
            weight = "bold" if line - 1 in best else "normal"
            _write_cell(ax, x, line / lines, shortened(cell, _LETTERS), fontweight=weight)


def _columns(comparison: Comparison) -> list[tuple[str, list[str], list[int]]]:
    """Title, cells and the lines of the best cells of each column."""
    columns = []
    for tag, found in list(comparison.best.items())[:_MOST_BEST]:
        cells = [f"{number(b.value, 4)} · {b.moment}" if b else "—" for b in found]
        columns.append((f"best {tag}", cells, comparison.winners[tag]))
    for name, values in list(comparison.differences.items())[: _MOST_COLUMNS - len(columns)]:
        columns.append((name, ["—" if v is None else str(v) for v in values], []))
    return columns


def _write_cell(ax: Axes, x: float, down: float, text: str, **look: Any) -> None:
    size = style.TEXT_POINTS
    ax.text(x, 1.0 - down, text, transform=ax.transAxes, fontsize=size, va="top", **look)


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
