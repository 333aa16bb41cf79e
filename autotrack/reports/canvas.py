"""Makes figures in autotrack's style and finishes them without overlapping texts."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Sequence
from typing import Any, NamedTuple, TypeVar

from matplotlib.figure import Figure
from matplotlib.layout_engine import ConstrainedLayoutEngine

from autotrack.history import History
from autotrack.reports import style
from autotrack.reports.names import spread_names, write_names
from autotrack.reports.notes import place_notes
from autotrack.reports.palette import current
from autotrack.reports.panel import Panel
from autotrack.reports.positions import TimeAxis
from autotrack.reports.texts import hide_crowded_ticks

Fill = Callable[[Panel, History], None]
Item = TypeVar("Item")
_COLUMNS = 3


class Heading(NamedTuple):
    """What stands at the upper left of a figure of several panels, and a line below it."""

    title: str
    below: str = ""

    @classmethod
    def of_some(cls, title: str, shown: int, there: int, below: str = "") -> Heading:
        """A heading that says how many of those that are there are shown, unless all are."""
        return cls(f"{title}, {shown} of {there}" if shown < there else title, below)


def single(history: History, fill: Fill) -> Figure:
    """A figure of one panel that `fill` draws."""
    with style.applied():
        figure = new_figure(style.SIZE)
        panel = Panel(figure.add_subplot(), TimeAxis.of(history))
        fill(panel, history)
        finish(figure, [panel])
    return figure


def small_panels(
    history: History, shown: Sequence[Item], fill: Callable[[Panel, Item], None], heading: Heading
) -> Figure:
    """A figure of a small panel for each thing, three in a row, each drawn by `fill`."""
    with style.applied():
        columns = min(_COLUMNS, len(shown))
        rows = -(-len(shown) // columns)
        width = {1: 6.4, 2: 8.0}.get(columns, 10.0)
        head = 0.62 if heading.below else 0.42
        high = head + 0.08 + (2.1 if rows > 1 else 2.6) * rows
        figure = new_figure((width, high), head=head)
        axes = figure.subplots(rows, columns, squeeze=False).ravel()
        time, panels = TimeAxis.of(history), []
        for ax, one in zip(axes, shown, strict=False):
            panels.append(Panel(ax, time, small=True))
            fill(panels[-1], one)
            ax.title.set_fontsize(style.TEXT_POINTS + 0.5)
        for unused in axes[len(shown) :]:
            unused.set_visible(False)
        write_heading(figure, *heading)
        finish(figure, panels)
    return figure


def new_figure(size: tuple[float, float], head: float = 0.0) -> Figure:
    """An empty figure of `size` inches that keeps its panels and their texts below a `head`."""
    below = 1.0 - head / size[1]
    layout = ConstrainedLayoutEngine(
        w_pad=0.09, h_pad=0.08, wspace=0.05, hspace=0.06, rect=(0.0, 0.0, 1.0, below)
    )
    return Figure(figsize=size, dpi=style.DPI, layout=layout, facecolor=style.background())


def write_heading(figure: Figure, title: str, below: str = "") -> None:
    """Write a title, and a line below it, at the upper left of a figure with a `head`."""
    inches = figure.get_figheight()
    left = 0.12 / figure.get_figwidth()
    bold: dict[str, Any] = {"fontsize": style.TITLE_POINTS, "fontweight": "bold"}
    figure.text(left, 1 - 0.12 / inches, title, va="top", **bold)
    soft: dict[str, Any] = {"fontsize": style.TEXT_POINTS, "color": current().soft_ink}
    figure.text(left, 1 - 0.36 / inches, below, va="top", **soft)


def finish(figure: Figure, panels: Iterable[Panel]) -> None:
    """Settle the layout, then write names of lines and notes where there is room for them."""
    panels = list(panels)
    names = [write_names(panel) for panel in panels]
    figure.draw_without_rendering()
    # From here on nothing may move, in whichever format the figure is saved.
    figure.set_layout_engine("none")
    hide_crowded_ticks(figure)
    for panel, written in zip(panels, names, strict=True):
        _hide_crowded_aside(panel)
        spread_names(written, panel)
    place_notes(figure, panels)


def _hide_crowded_aside(panel: Panel) -> None:
    title = panel.ax.title.get_window_extent().padded(4.0)
    if panel.aside is not None and title.overlaps(panel.aside.get_window_extent()):
        panel.aside.set_visible(False)
