"""Finds room for texts: names at the ends of lines and notes beside points, none upon another.

All work is in pixels of the figure, after its layout is settled.
"""

from __future__ import annotations

from itertools import chain
from typing import TYPE_CHECKING

import numpy as np
from matplotlib.text import Annotation, Text
from matplotlib.transforms import Bbox
from numpy.typing import NDArray

from autotrack.report.panel import FOOT, EndLabel, Note, Panel
from autotrack.report.style import PAPER, RULE, SOFT_INK, TEXT_POINTS

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator

    from matplotlib.axes import Axes
    from matplotlib.axis import Axis
    from matplotlib.figure import Figure

Floats = NDArray[np.float64]

_GAP = 3.0
_NAME_INDENT = 7.0
# Directions in the order of preference: above right, above, below right, ...
_DIRECTIONS = ((1, 1), (0, 1), (1, -1), (0, -1), (-1, 1), (-1, -1), (1, 0), (-1, 0))
_DISTANCES = (5.0, 11.0, 20.0, 32.0)
# Costs: of a third pixel of line under a text, of a text under the way to another one.
_COVERING = 1.2
_CROSSING = 40.0


def write_names(panel: Panel) -> list[Annotation]:
    """Write the names of lines right of the panel, at the height of each line's end; they may still overlap."""
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
        xytext=(_NAME_INDENT, 0.0),
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
    extents = sorted((name.get_window_extent().y0, index) for index, name in enumerate(names))
    order = [index for _, index in extents]
    heights = np.array([names[index].get_window_extent().height + 2.0 for index in order])
    centres = np.array([bottom for bottom, _ in extents]) + heights / 2 - 1.0
    for index, old, new in zip(
        order, centres, apart(centres, heights, area.y0, area.y1), strict=True
    ):
        names[index].set_position((_NAME_INDENT, (new - old) * 72.0 / panel.figure.dpi))


def _drop_crowded(names: list[Annotation], room: float) -> list[Annotation]:
    heights = np.cumsum([name.get_window_extent().height + 2.0 for name in names])
    if not len(names) or heights[-1] <= room + heights[0]:
        return names
    fitting = max(1, int(np.searchsorted(heights, room)))
    kept, left = names[: fitting - 1], names[fitting - 1 :]
    for name in left[1:]:
        name.set_visible(False)
    left[0].set_text(f"+ {len(left)} more")
    left[0].set_color(SOFT_INK)
    return [*kept, left[0]]


def apart(centres: Floats, heights: Floats, low: float, high: float) -> Floats:
    """Move sorted centres of boxes as little as needed so that they do not overlap; they stay in low..high if they fit.

    Boxes are merged into touching groups about the mean of what they want (pool adjacent violators).
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
    return np.maximum(np.minimum(flat, high - offsets[-1]), low) + offsets


def hide_crowded_ticks(figure: Figure) -> None:
    """Hide labels of ticks that would touch the label before them."""
    for axes in figure.axes:
        for axis, side in ((axes.xaxis, 0), (axes.yaxis, 1)):
            labels = _tick_labels(axis)
            labels.sort(key=lambda label, side=side: float(label.get_window_extent().min[side]))
            last: Bbox | None = None
            for label in labels:
                box = label.get_window_extent()
                if last is not None and box.min[side] < last.max[side] + 2.0:
                    label.set_visible(False)
                else:
                    last = box


def place_notes(figure: Figure, panels: Iterable[Panel]) -> None:
    """Write the notes of all panels where they cover no other text and as little of the lines as possible."""
    taken = [text.get_window_extent() for text in visible_texts(figure)]
    for panel in panels:
        path = _line_pixels(panel.ax)
        # Marks of all notes stay free, whichever note is placed first.
        marks = [_mark_box(panel, note) for note in panel.notes]
        for index in sorted(range(len(panel.notes)), key=lambda i: -panel.notes[i].rank):
            box = _place_note(panel, panel.notes[index], marks[index], taken + marks, path)
            if box is not None:
                taken.append(box)


def visible_texts(figure: Figure) -> list[Text]:
    """All texts of a figure that are seen: titles, labels of ticks in view, names, notes."""
    axes_in_view = [axes for axes in figure.axes if axes.get_visible()]
    texts = [text for text in figure.findobj(Text) if isinstance(text, Text)]
    # Matplotlib keeps tick objects in reserve that are not drawn.
    axis_texts = {
        label
        for axes in figure.axes
        for axis in (axes.xaxis, axes.yaxis)
        for tick in (*axis.majorTicks, *axis.minorTicks)
        for label in (tick.label1, tick.label2)
    }
    drawn = {
        label
        for axes in axes_in_view
        for axis in (axes.xaxis, axes.yaxis)
        for label in _tick_labels(axis)
    }
    return [
        text
        for text in texts
        if text.get_visible()
        and text.get_text().strip()
        and (text in drawn or text not in axis_texts)
        and (text.axes is None or text.axes.get_visible())
    ]


def _tick_labels(axis: Axis) -> list[Text]:
    """The labels of an axis that are drawn."""
    low, high = sorted(axis.get_view_interval())
    ticks = [*axis.get_major_ticks(), *axis.get_minor_ticks()]
    slack = 1e-9 * abs(high - low)
    return [
        tick.label1
        for tick in ticks
        if low - slack <= tick.get_loc() <= high + slack
        and tick.label1.get_visible()
        and tick.label1.get_text().strip()
    ]


def _mark_point(panel: Panel, note: Note) -> tuple[float, float]:
    x, y = panel.ax.transData.transform(
        (note.x, panel.ax.get_ylim()[0] if note.y is None else note.y)
    )
    if note.y is None:
        y = panel.ax.transAxes.transform((0.0, FOOT))[1]
    return float(x), float(y)


def _mark_box(panel: Panel, note: Note) -> Bbox:
    x, y = _mark_point(panel, note)
    half = 3.5 * panel.figure.dpi / 72.0
    return Bbox([[x - half, y - half], [x + half, y + half]])


def _place_note(
    panel: Panel, note: Note, mark: Bbox, taken: list[Bbox], path: Floats
) -> Bbox | None:
    text = _note_text(panel, note)
    extent = text.get_window_extent()
    size = (extent.width + 2 * _GAP, extent.height + 2 * _GAP)
    inside = panel.ax.get_window_extent()
    dpi = panel.figure.dpi
    places = chain(
        _near(mark, size, dpi), _anywhere(inside, size, mark, dpi) if note.needed else ()
    )
    others = [other for other in taken if other is not mark]
    box = _best(places, inside, others, path, mark)
    if box is None:
        text.remove()
        return None
    _settle(panel, note, text, box, mark)
    return box


def _note_text(panel: Panel, note: Note) -> Text:
    size = TEXT_POINTS - (0.8 if panel.small else 0.0)
    backing = {"facecolor": PAPER, "edgecolor": "none", "alpha": 0.75, "pad": 0.6}
    return panel.ax.text(
        0.0,
        0.0,
        note.text,
        transform=panel.ax.transAxes,
        color=note.colour,
        fontsize=size,
        ha="left",
        va="bottom",
        bbox=backing,
        zorder=7,
    )


def _settle(panel: Panel, note: Note, text: Text, box: Bbox, mark: Bbox) -> None:
    to_axes = panel.ax.transAxes.inverted()
    x, y = to_axes.transform((box.x0 + _GAP, box.y0 + _GAP))
    text.set_position((float(x), float(y)))
    corner = np.clip(_mark_point(panel, note), box.min, box.max)
    reach = float(np.hypot(*(corner - _mark_point(panel, note))))
    if reach > 10.0 * panel.figure.dpi / 72.0:
        ends = to_axes.transform([corner, _mark_point(panel, note)])
        panel.ax.plot(*ends.T, transform=panel.ax.transAxes, color=RULE, linewidth=0.7, zorder=5)


def _near(mark: Bbox, size: tuple[float, float], dpi: float) -> Iterator[tuple[float, Bbox]]:
    """Boxes around a mark with their cost: further away and less liked directions cost more."""
    x, y = (mark.x0 + mark.x1) / 2, (mark.y0 + mark.y1) / 2
    width, height = size
    for ring, distance in enumerate(_DISTANCES):
        away = distance * dpi / 72.0
        for liking, (right, up) in enumerate(_DIRECTIONS):
            left = x + right * away - (0.5 - 0.5 * right) * width
            bottom = y + up * away - (0.5 - 0.5 * up) * height
            yield 6.0 * ring + 0.5 * liking, Bbox.from_bounds(left, bottom, width, height)


def _anywhere(
    inside: Bbox, size: tuple[float, float], mark: Bbox, dpi: float
) -> Iterator[tuple[float, Bbox]]:
    width, height = size
    for left in np.linspace(inside.x0, max(inside.x0, inside.x1 - width), 25):
        for bottom in np.linspace(inside.y0, max(inside.y0, inside.y1 - height), 25):
            box = Bbox.from_bounds(float(left), float(bottom), width, height)
            distance = float(np.hypot(*(box.min + box.max - mark.min - mark.max))) / 2 * 72.0 / dpi
            yield 20.0 + 0.3 * distance, box


def _best(
    candidates: Iterable[tuple[float, Bbox]],
    inside: Bbox,
    taken: list[Bbox],
    path: Floats,
    mark: Bbox,
) -> Bbox | None:
    best: tuple[float, Bbox] | None = None
    for cost, box in candidates:
        if best is not None and cost >= best[0]:
            continue
        if not _within(box, inside) or any(_overlap(box, other) for other in [mark, *taken]):
            continue
        cost += _covered(box, path) + _crossed(box, mark, taken)
        if best is None or cost < best[0]:
            best = cost, box
    return best[1] if best else None


def _within(box: Bbox, outer: Bbox) -> bool:
    return bool(
        box.x0 >= outer.x0 - 1
        and box.x1 <= outer.x1
        and box.y0 >= outer.y0
        and box.y1 <= outer.y1 + 6
    )


def _overlap(one: Bbox, other: Bbox) -> bool:
    return bool(one.x0 < other.x1 and other.x0 < one.x1 and one.y0 < other.y1 and other.y0 < one.y1)


def _covered(box: Bbox, path: Floats) -> float:
    """How much of the lines a box would cover, in points of the path."""
    within = (
        (path[:, 0] > box.x0)
        & (path[:, 0] < box.x1)
        & (path[:, 1] > box.y0)
        & (path[:, 1] < box.y1)
    )
    return _COVERING * float(within.sum())


def _crossed(box: Bbox, mark: Bbox, taken: list[Bbox]) -> float:
    """Cost of a way from a mark to a box that leads over other texts."""
    start = (mark.min + mark.max) / 2
    way = np.linspace(start, np.clip(start, box.min, box.max), 24)
    over = sum(bool(((way > other.min) & (way < other.max)).all(axis=1).any()) for other in taken)
    return _CROSSING * over


def _line_pixels(ax: Axes) -> Floats:
    """Points about every third pixel along all lines of the axes, shape [n, 2]."""
    pieces = [np.empty((0, 2))]
    for line in ax.lines:
        points = line.get_transform().transform(np.column_stack(line.get_data()).astype(np.float64))
        points = points[np.isfinite(points).all(axis=1)]
        if len(points):
            length = np.concatenate([[0.0], np.cumsum(np.hypot(*np.diff(points, axis=0).T))])
            along = np.linspace(0.0, length[-1], int(min(length[-1] / 3, 20000)) + 1)
            pieces.append(np.column_stack([np.interp(along, length, points[:, i]) for i in (0, 1)]))
    return np.concatenate(pieces)
