"""The texts of a figure as they are seen."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np
from matplotlib.text import Text

if TYPE_CHECKING:
    from matplotlib.axis import Axis, Tick
    from matplotlib.figure import Figure


def hide_crowded_ticks(figure: Figure) -> None:
    """Hide labels of ticks that would touch the label before them."""
    for axes in figure.axes:
        for side, axis in enumerate((axes.xaxis, axes.yaxis)):
            _keep_apart(_tick_labels(axis), side)


def _keep_apart(labels: list[Text], side: int) -> None:
    boxes = [label.get_window_extent().get_points() for label in labels]
    reached = -np.inf
    for index in sorted(range(len(labels)), key=lambda index: float(boxes[index][0, side])):
        if boxes[index][0, side] < reached + 2.0:
            labels[index].set_visible(False)
        else:
            reached = boxes[index][1, side]


def visible_texts(figure: Figure) -> list[Text]:
    """All texts of a figure that are seen: titles, labels of ticks in view, names, notes."""
    # Matplotlib keeps tick objects in reserve that are not drawn.
    reserve: set[Text] = set()
    for axes in figure.axes:
        for axis in (axes.xaxis, axes.yaxis):
            reserve.update(_labels([*axis.majorTicks, *axis.minorTicks]))
            reserve.difference_update(_tick_labels(axis) if axes.get_visible() else [])
    return [text for text in figure.findobj(Text) if _is_seen(text) and text not in reserve]


def _is_seen(text: Text) -> bool:
    if not text.get_visible() or not text.get_text().strip():
        return False
    return text.axes is None or text.axes.get_visible()


def _tick_labels(axis: Axis) -> list[Text]:
    """The labels of an axis that are drawn."""
    low, high = sorted(axis.get_view_interval())
    slack = 1e-9 * abs(high - low)
    ticks = [*axis.get_major_ticks(), *axis.get_minor_ticks()]
    shown = [tick for tick in ticks if low - slack <= tick.get_loc() <= high + slack]
    return [label for label in _labels(shown) if _is_seen(label)]


def _labels(ticks: list[Tick]) -> list[Text]:
    return [label for tick in ticks for label in (tick.label1, tick.label2)]
