"""Making figures: one panel or several, drawn under autotrack's style and finished without overlapping texts."""

from __future__ import annotations

from collections.abc import Callable, Iterable
from typing import TYPE_CHECKING

from matplotlib.figure import Figure
from matplotlib.layout_engine import ConstrainedLayoutEngine

from autotrack.history import History
from autotrack.report import style
from autotrack.report.panel import Panel
from autotrack.report.placement import hide_crowded_ticks, place_notes, spread_names, write_names
from autotrack.report.positions import TimeAxis

if TYPE_CHECKING:
    from matplotlib.axes import Axes

Fill = Callable[[Panel, History], None]


def single(history: History, fill: Fill) -> Figure:
    """A figure of one panel that `fill` draws."""
    with style.applied():
        figure = new_figure(style.SIZE)
        panel = Panel(figure.add_subplot(), TimeAxis.of(history))
        fill(panel, history)
        finish(figure, [panel])
    return figure


def new_figure(size: tuple[float, float], head: float = 0.0) -> Figure:
    """An empty figure of `size` inches that keeps its texts within itself, below a `head` of inches."""
    below = 1.0 - head / size[1]
    layout = ConstrainedLayoutEngine(
        w_pad=0.09, h_pad=0.08, wspace=0.05, hspace=0.06, rect=(0.0, 0.0, 1.0, below)
    )
    return Figure(figsize=size, dpi=style.DPI, layout=layout, facecolor=style.PAPER)


def finish(figure: Figure, panels: Iterable[Panel]) -> None:
    """Settle the layout, then write the names of lines and the notes where there is room for them."""
    panels = list(panels)
    names = [write_names(panel) for panel in panels]
    figure.draw_without_rendering()
    # From here on nothing may move, in whichever format the figure is saved.
    figure.set_layout_engine("none")
    hide_crowded_ticks(figure)
    for panel, written in zip(panels, names, strict=True):
        _hide_crowded_aside(panel.ax)
        spread_names(written, panel)
    place_notes(figure, panels)


def _hide_crowded_aside(ax: Axes) -> None:
    title, aside = ax.title, ax._right_title  # type: ignore[attr-defined]
    if aside.get_text() and title.get_window_extent().padded(4.0).overlaps(
        aside.get_window_extent()
    ):
        aside.set_visible(False)
