"""Finds room for texts: names at the ends of lines and notes beside points, none upon another.

All work is in pixels of the figure, after its layout is settled.
"""

from __future__ import annotations

from dataclasses import dataclass
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

    from matplotlib.artist import Artist
    from matplotlib.axes import Axes
    from matplotlib.axis import Axis, Tick
    from matplotlib.figure import Figure
    from typing_extensions import TypeIs

Floats = NDArray[np.float64]

_GAP = 3.0
# A text up to this far from its mark, in points, needs no line to it.
_BESIDE = 10.0
_NAME_INDENT = 7.0
# Directions in the order of preference: above right, above, below right, ...
_DIRECTIONS = ((1, 1), (0, 1), (1, -1), (0, -1), (-1, 1), (-1, -1), (1, 0), (-1, 0))
_DISTANCES = (5.0, 11.0, 20.0, 32.0)
# Costs: of a third pixel of line under a text, of a text under the way to another one.
_COVERING = 1.2
_CROSSING = 40.0


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


def place_notes(figure: Figure, panels: Iterable[Panel]) -> None:
    """Write the notes of all panels where they cover no text and little of the lines."""
    taken = [text.get_window_extent() for text in visible_texts(figure)]
    for panel in panels:
        path = _line_pixels(panel.ax)
        # The marks of all notes stay free, whichever note is placed first.
        marks = [_mark_box(panel, note) for note in panel.notes]
        for index in sorted(range(len(panel.notes)), key=lambda i: -panel.notes[i].rank):
            others = [mark for mark in marks if mark is not marks[index]]
            room = Room(panel, marks[index], [*taken, *others], path)
            box = room.write(panel.notes[index])
            if box is not None:
                taken.append(box)


def visible_texts(figure: Figure) -> list[Text]:
    """All texts of a figure that are seen: titles, labels of ticks in view, names, notes."""
    # Matplotlib keeps tick objects in reserve that are not drawn.
    reserve: set[Text] = set()
    for axes in figure.axes:
        for axis in (axes.xaxis, axes.yaxis):
            reserve.update(_labels([*axis.majorTicks, *axis.minorTicks]))
            reserve.difference_update(_tick_labels(axis) if axes.get_visible() else [])
    return [text for text in figure.findobj(Text) if _is_seen(text) and text not in reserve]


def _is_seen(text: Artist) -> TypeIs[Text]:
    if not isinstance(text, Text) or not text.get_visible() or not text.get_text().strip():
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


@dataclass(frozen=True)
class Room:
    """What a note has to keep clear of: its own mark, boxes that are taken, and lines.

    `path` are points along the panel's lines, shape [n, 2].
    """

    panel: Panel
    mark: Bbox
    taken: list[Bbox]
    path: Floats

    def write(self, note: Note) -> Bbox | None:
        """Write a note at the best place and return its box; None where there is no place."""
        text = _write_note(self.panel, note)
        extent = text.get_window_extent()
        size = (extent.width + 2 * _GAP, extent.height + 2 * _GAP)
        box = self._best(chain(self._near(size), self._anywhere(size) if note.needed else ()))
        if box is None:
            text.remove()
            return None
        _settle(self.panel, text, box, _middle(self.mark))
        return box

    def _near(self, size: tuple[float, float]) -> Iterator[tuple[float, Bbox]]:
        """Boxes around the mark with their cost: far ones and less liked directions cost more."""
        x, y = _middle(self.mark)
        width, height = size
        for ring, distance in enumerate(_DISTANCES):
            away = distance * self.panel.figure.dpi / 72.0
            for liking, (right, up) in enumerate(_DIRECTIONS):
                left = x + right * away - (0.5 - 0.5 * right) * width
                bottom = y + up * away - (0.5 - 0.5 * up) * height
                yield 6.0 * ring + 0.5 * liking, Bbox.from_bounds(left, bottom, width, height)

    def _anywhere(self, size: tuple[float, float]) -> Iterator[tuple[float, Bbox]]:
        """Boxes all over the panel with their cost, by their distance from the mark."""
        inside = self.panel.ax.get_window_extent()
        width, height = size
        for left in np.linspace(inside.x0, max(inside.x0, inside.x1 - width), 25):
            for bottom in np.linspace(inside.y0, max(inside.y0, inside.y1 - height), 25):
                box = Bbox.from_bounds(float(left), float(bottom), width, height)
                distance = np.hypot(*(_middle(box) - _middle(self.mark)))
                yield 20.0 + 0.3 * float(distance) * 72.0 / self.panel.figure.dpi, box

    def _best(self, candidates: Iterable[tuple[float, Bbox]]) -> Bbox | None:
        inside = self.panel.ax.get_window_extent()
        least, best = np.inf, None
        for cost, box in candidates:
            if cost >= least or not _within(box, inside):
                continue
            if any(_overlap(box, other) for other in [self.mark, *self.taken]):
                continue
            whole_cost = cost + self._covered(box) + self._crossed(box)
            if whole_cost < least:
                least, best = whole_cost, box
        return best

    def _covered(self, box: Bbox) -> float:
        """Cost of the lines that a box would cover."""
        low, high = box.get_points()
        return _COVERING * float(((self.path > low) & (self.path < high)).all(axis=1).sum())

    def _crossed(self, box: Bbox) -> float:
        """Cost of a way from the mark to a box that leads over other texts."""
        start = _middle(self.mark)
        way = np.linspace(start, np.clip(start, *box.get_points()), 24)
        corners = [other.get_points() for other in self.taken]
        over = sum(bool(((way > a) & (way < b)).all(axis=1).any()) for a, b in corners)
        return _CROSSING * over


def _write_note(panel: Panel, note: Note) -> Text:
    return panel.ax.text(
        0.0,
        0.0,
        note.text,
        transform=panel.ax.transAxes,
        color=note.colour,
        fontsize=TEXT_POINTS - (0.8 if panel.small else 0.0),
        va="bottom",
        bbox={"facecolor": PAPER, "edgecolor": "none", "alpha": 0.75, "pad": 0.6},
        zorder=7,
    )


def _settle(panel: Panel, text: Text, box: Bbox, mark: Floats) -> None:
    """Move a text into its box, with a line to its mark where that is not beside it."""
    to_axes = panel.ax.transAxes.inverted()
    x, y = to_axes.transform((box.x0 + _GAP, box.y0 + _GAP))
    text.set_position((float(x), float(y)))
    corner = np.clip(mark, *box.get_points())
    if np.hypot(*(corner - mark)) > _BESIDE * panel.figure.dpi / 72.0:
        ends = to_axes.transform(np.array([corner, mark]))
        panel.ax.plot(*ends.T, transform=panel.ax.transAxes, color=RULE, linewidth=0.7, zorder=5)


def _middle(box: Bbox) -> Floats:
    middle: Floats = box.get_points().mean(axis=0)
    return middle


def _within(box: Bbox, outer: Bbox) -> bool:
    return bool(
        box.x0 >= outer.x0 - 1
        and box.x1 <= outer.x1
        and box.y0 >= outer.y0
        and box.y1 <= outer.y1 + 6
    )


def _overlap(one: Bbox, other: Bbox) -> bool:
    return bool(one.x0 < other.x1 and other.x0 < one.x1 and one.y0 < other.y1 and other.y0 < one.y1)


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
