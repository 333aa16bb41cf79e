"""Making figures: one panel or several, drawn under autotrack's style and finished without overlapping texts."""

from __future__ import annotations

from collections.abc import Callable, Iterable

from matplotlib.axes import Axes
from matplotlib.figure import Figure

from autotrack.history import History
from autotrack.report import style
from autotrack.report.panel import Panel
from autotrack.report.placement import place_notes, spread_names, write_names
from autotrack.report.positions import TimeAxis

Fill = Callable[[Panel, History], None]


def single(history: History, fill: Fill) -> Figure:
    """A figure of one panel that `fill` draws."""
    with style.applied():
        figure = new_figure(style.SIZE)
        panel = Panel(figure.add_subplot(), TimeAxis.of(history))
        fill(panel, history)
        finish(figure, [panel])
    return figure


def new_figure(size: tuple[float, float]) -> Figure:
    """An empty figure of `size` inches that keeps its texts within itself."""
    figure = Figure(figsize=size, dpi=style.DPI, layout="constrained", facecolor=style.PAPER)
    figure.get_layout_engine().set(w_pad=0.09, h_pad=0.08, wspace=0.05, hspace=0.06)  # type: ignore[union-attr]
    return figure


def set_title(ax: Axes, title: str) -> None:
    """Write a title over the left end of the axes."""
    ax.set_title(title, x=0.0, ha="left")


def finish(figure: Figure, panels: Iterable[Panel]) -> None:
    """Settle the layout, then write the names of lines and the notes where there is room for them."""
    panels = list(panels)
    names = [write_names(panel) for panel in panels]
    figure.draw_without_rendering()
    # From here on nothing may move, in whichever format the figure is saved.
    figure.set_layout_engine("none")
    for panel, written in zip(panels, names, strict=True):
        spread_names(written, panel)
    place_notes(figure, panels)
