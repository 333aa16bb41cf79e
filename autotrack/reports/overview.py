"""Figure: the whole run at a glance, in the panels for which it has numbers."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from autotrack.reports import (
    accuracy,
    canvas,
    confusion,
    gradient_flow,
    gradient_norm,
    learning_rate,
    loss,
    r2,
    style,
    throughput,
    update_ratio,
)
from autotrack.reports.depth import shortened
from autotrack.reports.palette import current
from autotrack.reports.panel import Panel
from autotrack.reports.positions import TimeAxis
from autotrack.reports.scales import whole

if TYPE_CHECKING:
    from matplotlib.figure import Figure

    from autotrack.history import History
    from autotrack.reports.canvas import Fill

_WIDTH = 10.0
_HEAD = 0.62
_ROW = 2.75
_MOST_BELOW = 4
_FACT_LETTERS = 110
_NAME_LETTERS = 60


def draw(history: History) -> Figure | None:
    """Draw loss and quality above, and below them how training went; None without any of it.

    Of a classification the best evaluation's confusion stands above too. Below are at most four of
    gradient norm, gradient flow, update ratio, learning rate and throughput.
    """
    above, below = _panels(history)
    if not above and not below:
        return None
    with style.applied():
        rows = [row for row in (above, below) if row]
        height = _HEAD + _ROW * len(rows) + (0.35 if above else 0.0)
        figure = canvas.new_figure((_WIDTH, height), head=_HEAD)
        panels = _fill_rows(figure, rows, history)
        _write_head(figure, history, height)
        canvas.finish(figure, panels)
    return figure


@dataclass(frozen=True)
class _Part:
    """One panel of the overview."""

    fill: Fill
    weight: float = 1.0


def _panels(history: History) -> tuple[list[_Part], list[_Part]]:
    quality = accuracy if accuracy.exists(history) else r2
    above = [
        _Part(module.fill, weight)
        for module, weight in ((loss, 1.5), (quality, 1.0), (confusion, 1.0))
        if module.exists(history)
    ]
    wanted: list[Any] = [gradient_norm, gradient_flow, update_ratio, learning_rate, throughput]
    found = [module for module in wanted if module.exists(history)]
    # A rate that never changes says the least.
    if len(found) > _MOST_BELOW and learning_rate.is_constant(history):
        found.remove(learning_rate)
    return above, [_Part(module.fill) for module in found[:_MOST_BELOW]]


def _fill_rows(figure: Figure, rows: list[list[_Part]], history: History) -> list[Panel]:
    time = TimeAxis.of(history)
    heights = [1.0] if len(rows) == 1 else [1.2, 1.0]
    panels = []
    grid = figure.add_gridspec(len(rows), 1, height_ratios=heights)
    for row, parts in enumerate(rows):
        weights = [part.weight for part in parts]
        cells = grid[row].subgridspec(1, len(parts), width_ratios=weights)
        for column, part in enumerate(parts):
            panel = Panel(figure.add_subplot(cells[column]), time, small=True)
            part.fill(panel, history)
            panels.append(panel)
    return panels


def _write_head(figure: Figure, history: History, height: float) -> None:
    name = str(history.run.get("name") or history.directory.name)
    facts = _facts(history)
    left = 0.12 / _WIDTH
    figure.text(
        left,
        1 - 0.13 / height,
        shortened(name, _NAME_LETTERS),
        fontsize=13,
        fontweight="bold",
        va="top",
    )
    figure.text(
        left,
        1 - 0.40 / height,
        facts,
        fontsize=style.TEXT_POINTS,
        color=current().soft_ink,
        va="top",
    )


def _facts(history: History) -> str:
    """Length of the run and its hyperparameters, as many as fit into a line."""
    time = TimeAxis.of(history)
    facts = [_count(len(time.epochs.numbers), "epoch")] if time.epochs else []
    facts.append(_count(time.total, "step"))
    if len(time.trainings):
        facts.append(f"{whole(len(time.trainings) + 1)} trainings in turn")
    config = history.run.get("config") or {}
    line = " · ".join(facts)
    for key, value in config.items():
        longer = f"{line} · {key} {value}"
        if len(longer) > _FACT_LETTERS:
            return f"{line} · …"
        line = longer
    return line


def _count(number: int, word: str) -> str:
    return f"{whole(number)} {word}" if number == 1 else f"{whole(number)} {word}s"
