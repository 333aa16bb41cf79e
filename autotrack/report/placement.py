"""Finds room for texts: names at the ends of lines and notes beside points, none upon another.

All work is in pixels of the figure, after its layout is settled.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator

import numpy as np
from matplotlib.axes import Axes
from matplotlib.figure import Figure
from matplotlib.text import Annotation, Text
from matplotlib.transforms import Bbox
from numpy.typing import NDArray

from autotrack.report.panel import FOOT, EndLabel, Note, Panel
from autotrack.report.style import PAPER, RULE, TEXT_POINTS

Floats = NDArray[np.float64]

_GAP = 3.0
_NAME_INDENT = 7.0
# Directions in the order of preference: above right, above, below right, ...
_DIRECTIONS = ((1, 1), (0, 1), (1, -1), (0, -1), (-1, 1), (-1, -1), (1, 0), (-1, 0))
_DISTANCES = (5.0, 11.0, 20.0, 32.0)


def write_names(panel: Panel) -> list[Annotation]:
    """Write the names of lines right of the panel, at the height of each line's end; they may still overlap."""
    size = TEXT_POINTS - (0.8 if panel.small else 0.0)
    return [_write_name(panel.ax, end, size) for end in panel.ends]


def _write_name(ax: Axes, end: EndLabel, size: float) -> Annotation:
    low, high = ax.get_ylim()
    # A name beside a line that leaves the panel stands where the line leaves it.
    height = min(max(end.y, low), high)
    return ax.annotate(
        end.text, (1.0, height), xycoords=("axes fraction", "data"), xytext=(_NAME_INDENT, 0.0),
        textcoords="offset points", va="center", ha="left", color=end.colour, fontsize=size,
        annotation_clip=False,
    )  # fmt: skip


def spread_names(names: list[Annotation], panel: Panel) -> None:
    """Move the names of one panel's lines up and down until none overlaps another.

    Those at the bottom that find no room in the panel's height are summed up in one text: `+ 5 more`.
    """
    if not names:
        return
    area = panel.ax.get_window_extent()
    height = max(name.get_window_extent().height for name in names) + 1.0
    room = max(1, int(area.height // height) + 1)
    names = _drop_crowded(names, room)
    extents = [name.get_window_extent() for name in names]
    centres = np.array([(extent.y0 + extent.y1) / 2 for extent in extents])
    order = np.argsort(centres)
    moved = np.empty_like(centres)
    moved[order] = apart(centres[order], height, area.y0, area.y1)
    for name, old, new in zip(names, centres, moved, strict=True):
        name.set_position((_NAME_INDENT, (new - old) * 72.0 / panel.ax.figure.dpi))


def _drop_crowded(names: list[Annotation], room: int) -> list[Annotation]:
    if len(names) <= room:
        return names
    kept, left = names[: room - 1], names[room - 1 :]
    for name in left[1:]:
        name.set_visible(False)
    left[0].set_text(f"+ {len(left)} more")
    return [*kept, left[0]]


def apart(centres: Floats, height: float, low: float, high: float) -> Floats:
    """Move sorted centres of equally high boxes as little as needed so that they do not overlap and stay in low..high.

    Boxes are merged into touching groups about the mean of what they want (pool adjacent violators). Where there are
    too many for the space they keep their distance and stand out at the top.
    """
    wanted = centres - height * np.arange(len(centres))
    groups: list[tuple[float, int]] = []
    for want in wanted:
        group = (float(want), 1)
        while groups and groups[-1][0] > group[0]:
            value, size = groups.pop()
            group = ((value * size + group[0] * group[1]) / (size + group[1]), size + group[1])
        groups.append(group)
    flat = np.concatenate([np.full(size, value) for value, size in groups])
    top = high - height * (len(centres) - 1)
    return np.maximum(np.minimum(flat, top), low) + height * np.arange(len(centres))


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
    hidden = {tick for axes in figure.axes for axis in (axes.xaxis, axes.yaxis) for tick in _unseen(axis)}
    return [
        text
        for text in figure.findobj(Text)
        if isinstance(text, Text) and text.get_visible() and text.get_text().strip() and text not in hidden
    ]


def _unseen(axis: object) -> Iterator[Text]:
    # Matplotlib keeps tick objects in reserve that are not drawn.
    drawn = set(axis._update_ticks())  # type: ignore[attr-defined]
    for tick in (*axis.majorTicks, *axis.minorTicks):  # type: ignore[attr-defined]
        for label in (tick.label1, tick.label2):
            if tick not in drawn or not tick.get_visible() or not axis.get_visible():  # type: ignore[attr-defined]
                yield label


def _mark_point(panel: Panel, note: Note) -> tuple[float, float]:
    x, y = panel.ax.transData.transform((note.x, panel.ax.get_ylim()[0] if note.y is None else note.y))
    if note.y is None:
        y = panel.ax.transAxes.transform((0.0, FOOT))[1]
    return float(x), float(y)


def _mark_box(panel: Panel, note: Note) -> Bbox:
    x, y = _mark_point(panel, note)
    half = 3.5 * panel.ax.figure.dpi / 72.0
    return Bbox([[x - half, y - half], [x + half, y + half]])


def _place_note(panel: Panel, note: Note, mark: Bbox, taken: list[Bbox], path: Floats) -> Bbox | None:
    text = _note_text(panel, note)
    extent = text.get_window_extent()
    size = (extent.width + 2 * _GAP, extent.height + 2 * _GAP)
    inside = panel.ax.get_window_extent()
    near = _best(_near(mark, size, panel.ax.figure.dpi), inside, taken, path)
    box = near if near is not None or not note.needed else _best(_anywhere(inside, size, mark), inside, taken, path)
    if box is None:
        text.remove()
        return None
    _settle(panel, note, text, box, mark)
    return box


def _note_text(panel: Panel, note: Note) -> Text:
    size = TEXT_POINTS - (0.8 if panel.small else 0.0)
    backing = {"facecolor": PAPER, "edgecolor": "none", "alpha": 0.75, "pad": 0.6}
    return panel.ax.text(
        0.0, 0.0, note.text, transform=panel.ax.transAxes, color=note.colour, fontsize=size,
        ha="left", va="bottom", bbox=backing, zorder=7,
    )  # fmt: skip


def _settle(panel: Panel, note: Note, text: Text, box: Bbox, mark: Bbox) -> None:
    to_axes = panel.ax.transAxes.inverted()
    x, y = to_axes.transform((box.x0 + _GAP, box.y0 + _GAP))
    text.set_position((float(x), float(y)))
    corner = np.clip(_mark_point(panel, note), box.min, box.max)
    reach = float(np.hypot(*(corner - _mark_point(panel, note))))
    if reach > 10.0 * panel.ax.figure.dpi / 72.0:
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


def _anywhere(inside: Bbox, size: tuple[float, float], mark: Bbox) -> Iterator[tuple[float, Bbox]]:
    width, height = size
    for left in np.linspace(inside.x0, max(inside.x0, inside.x1 - width), 25):
        for bottom in np.linspace(inside.y0, max(inside.y0, inside.y1 - height), 25):
            box = Bbox.from_bounds(float(left), float(bottom), width, height)
            yield float(np.hypot(*(box.min + box.max - mark.min - mark.max))) * 0.05, box


def _best(candidates: Iterable[tuple[float, Bbox]], inside: Bbox, taken: list[Bbox], path: Floats) -> Bbox | None:
    best: tuple[float, Bbox] | None = None
    for cost, box in candidates:
        if best is not None and cost >= best[0]:
            continue
        if not _within(box, inside) or any(_overlap(box, other) for other in taken):
            continue
        cost += _covered(box, path)
        if best is None or cost < best[0]:
            best = cost, box
    return best[1] if best else None


def _within(box: Bbox, outer: Bbox) -> bool:
    return bool(box.x0 >= outer.x0 and box.x1 <= outer.x1 and box.y0 >= outer.y0 and box.y1 <= outer.y1 + 6)


def _overlap(one: Bbox, other: Bbox) -> bool:
    return bool(one.x0 < other.x1 and other.x0 < one.x1 and one.y0 < other.y1 and other.y0 < one.y1)


def _covered(box: Bbox, path: Floats) -> float:
    """How much of the lines a box would cover, in points of the path."""
    within = (path[:, 0] > box.x0) & (path[:, 0] < box.x1) & (path[:, 1] > box.y0) & (path[:, 1] < box.y1)
    return float(min(within.sum(), 400)) * 0.5


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
