"""Names of lines, written beside the panel at the height at which each line ends.

Work is in pixels of the figure, after its layout is settled.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np
from numpy.typing import NDArray

from autotrack.reports.palette import current
from autotrack.reports.style import TEXT_POINTS

if TYPE_CHECKING:
    from matplotlib.axes import Axes
    from matplotlib.text import Annotation

    from autotrack.reports.panel import EndLabel, Panel

Floats = NDArray[np.float64]

_INDENT = 7.0
_BETWEEN = 5.0


def write_names(panel: Panel) -> list[Annotation]:
    """Write the names of lines beside the panel, where each ends; they may still overlap."""
    size = TEXT_POINTS - (0.8 if panel.small else 0.0)
    return [_write_name(panel.ax, end, size) for end in panel.ends]


def _write_name(ax: Axes, end: EndLabel, size: float) -> Annotation:
    low, high = ax.get_ylim()
    # A name beside a line that leaves the panel stands where the line leaves it.
    height = min(max(end.y, low), high)
    return ax.annotate(
        end.text,
        (1.0, height),
        xycoords=("axes fraction", "data"),
        xytext=(_INDENT, 0.0),
        textcoords="offset points",
        va="center",
        ha="left",
        color=end.colour,
        fontsize=size,
        annotation_clip=False,
    )


def spread_names(names: list[Annotation], panel: Panel) -> None:
    """Move the names of one panel's lines up and down until none overlaps another.

    Those that find no room in the panel's height are summed up in one text: `+ 5 more`.
    """
    area = panel.ax.get_window_extent()
    names = _drop_crowded(names, area.height)
    boxes = np.array([name.get_window_extent().extents for name in names]).reshape(-1, 4)
    centres, heights = boxes[:, 1::2].mean(axis=1), np.diff(boxes[:, 1::2])[:, 0] + _BETWEEN
    order = np.argsort(centres, kind="stable")
    moved = apart(centres[order], heights[order], area.y0, area.y1)
    for index, height in zip(order, moved, strict=True):
        shift = (height - centres[index]) * 72.0 / panel.figure.dpi
        names[index].set_position((_INDENT, shift))


def _drop_crowded(names: list[Annotation], room: float) -> list[Annotation]:
    heights = np.cumsum([name.get_window_extent().height + _BETWEEN for name in names])
    if not len(names) or heights[-1] <= room + heights[0]:
        return names
    fitting = max(1, int(np.searchsorted(heights, room)))
    kept, left = names[: fitting - 1], names[fitting - 1 :]
    for name in left[1:]:
        name.set_visible(False)
    left[0].set_text(f"+ {len(left)} more")
    left[0].set_color(current().soft_ink)
    return [*kept, left[0]]


def apart(centres: Floats, heights: Floats, low: float, high: float) -> Floats:
    """Move sorted centres of boxes so that none overlaps; they stay in low..high if they fit.

    Boxes merge into touching groups about the mean of what they want (pool adjacent violators).
    """
    if not len(centres):
        return centres
    offsets = np.concatenate([[0.0], np.cumsum((heights[1:] + heights[:-1]) / 2)])
    groups: list[tuple[float, int]] = []
    for want in centres - offsets:
        group = (float(want), 1)
        while groups and groups[-1][0] > group[0]:
            value, size = groups.pop()
            group = ((value * size + group[0] * group[1]) / (size + group[1]), size + group[1])
        groups.append(group)
    flat = np.concatenate([np.full(size, value) for value, size in groups])
    placed: Floats = np.maximum(np.minimum(flat, high - offsets[-1]), low) + offsets
    return placed
