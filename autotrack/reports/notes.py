"""Finds places for notes: beside their points, upon no other text and little of the lines.

All work is in pixels of the figure, after its layout is settled. Boxes are rows of an array: left,
bottom, right, top.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np
from numpy.typing import NDArray

from autotrack.reports.palette import current
from autotrack.reports.panel import FOOT, Note, Panel
from autotrack.reports.style import TEXT_POINTS
from autotrack.reports.texts import visible_texts

if TYPE_CHECKING:
    from collections.abc import Iterable

    from matplotlib.axes import Axes
    from matplotlib.figure import Figure
    from matplotlib.text import Text

Floats = NDArray[np.float64]

_GAP = 3.0
_MARK = 3.5
# A text up to this far from its mark, in points, needs no line to it.
_BESIDE = 10.0
# Where a text may stand beside its mark: above right, above, below right, ..., and how far off.
_DIRECTIONS = ((1, 1), (0, 1), (1, -1), (0, -1), (-1, 1), (-1, -1), (1, 0), (-1, 0))
_DISTANCES = (5.0, 11.0, 20.0, 32.0)
_PLACES_A_SIDE = 25
# Costs: of a third pixel of line under a text, of a text under the way to another one.
_COVERING = 1.2
_CROSSING = 40.0


def place_notes(figure: Figure, panels: Iterable[Panel]) -> None:
    """Write the notes of all panels where they cover no text and little of the lines."""
    taken = [_box(text) for text in visible_texts(figure)]
    for panel in panels:
        path = _line_pixels(panel.ax) if panel.notes else np.empty((0, 2))
        # The marks of all notes stay free, whichever note is placed first.
        marks = [_mark(panel, note) for note in panel.notes]
        taken += [_around(mark, _MARK * panel.figure.dpi / 72.0) for mark in marks]
        for index in sorted(range(len(panel.notes)), key=lambda i: -panel.notes[i].rank):
            room = Room(panel, marks[index], np.array(taken), path)
            taken += room.write(panel.notes[index])


@dataclass(frozen=True)
class Room:
    """What a note has to keep clear of: boxes that are taken, and lines.

    `mark` is the point it belongs to, shape [2]; `taken` has shape [boxes, 4]; `path` are points
    along the panel's lines, shape [n, 2].
    """

    panel: Panel
    mark: Floats
    taken: Floats
    path: Floats

    def write(self, note: Note) -> list[Floats]:
        """Write a note at the best place and return its box; nothing where there is no place."""
        text = _write_note(self.panel, note)
        extent = _box(text)
        size = extent[2:] - extent[:2] + 2 * _GAP
        costs, boxes = self._places(size, anywhere=note.needed)
        best = self._best(costs, boxes)
        if best is None:
            text.remove()
            return []
        self._settle(text, boxes[best])
        return [boxes[best]]

    def _places(self, size: Floats, *, anywhere: bool) -> tuple[Floats, Floats]:
        """Boxes for a text of a size and the cost of each: far and less liked ones cost more."""
        costs, boxes = self._near(size)
        if anywhere:
            far_costs, far_boxes = self._anywhere(size)
            costs, boxes = np.concatenate([costs, far_costs]), np.concatenate([boxes, far_boxes])
        free = self._inside(boxes) & ~_overlaps(boxes, self.taken).any(axis=1)
        return np.where(free, costs, np.inf), boxes

    def _near(self, size: Floats) -> tuple[Floats, Floats]:
        away = np.array(_DISTANCES)[:, None, None] * self.panel.figure.dpi / 72.0
        sides = np.array(_DIRECTIONS)
        corners = self.mark + sides * away - (0.5 - 0.5 * sides) * size
        rings, liking = np.indices(corners.shape[:2])
        return (6.0 * rings + 0.5 * liking).ravel(), _boxes(corners.reshape(-1, 2), size)

    def _anywhere(self, size: Floats) -> tuple[Floats, Floats]:
        inside = _box(self.panel.ax)
        last = np.maximum(inside[2:] - size, inside[:2])
        lefts, bottoms = np.linspace(inside[:2], last, _PLACES_A_SIDE).T
        corners = np.stack(np.meshgrid(lefts, bottoms), axis=-1).reshape(-1, 2)
        distances = np.hypot(*(corners + size / 2 - self.mark).T)
        return 20.0 + 0.3 * distances * 72.0 / self.panel.figure.dpi, _boxes(corners, size)

    def _inside(self, boxes: Floats) -> NDArray[np.bool_]:
        panel = _box(self.panel.ax)
        within = (boxes[:, :2] >= panel[:2] - 1.0) & (boxes[:, 2:] <= panel[2:] + 1.0)
        return np.asarray(within.all(axis=1))

    def _best(self, costs: Floats, boxes: Floats) -> int | None:
        least, best = np.inf, None
        for index in np.argsort(costs, kind="stable"):
            # The cost of what is covered only adds to these.
            if costs[index] >= least:
                break
            cost = costs[index] + self._covered(boxes[index]) + self._crossed(boxes[index])
            if cost < least:
                least, best = cost, int(index)
        return best

    def _covered(self, box: Floats) -> float:
        """Cost of the lines that a box would cover."""
        within = ((self.path > box[:2]) & (self.path < box[2:])).all(axis=1)
        return _COVERING * float(within.sum())

    def _crossed(self, box: Floats) -> float:
        """Cost of a way from the mark to a box that leads over other texts."""
        way = np.linspace(self.mark, np.clip(self.mark, box[:2], box[2:]), 24)[:, None]
        over = ((way > self.taken[:, :2]) & (way < self.taken[:, 2:])).all(axis=2).any(axis=0)
        own = ((self.mark > self.taken[:, :2]) & (self.mark < self.taken[:, 2:])).all(axis=1)
        return _CROSSING * float((over & ~own).sum())

    def _settle(self, text: Text, box: Floats) -> None:
        """Move a text into its box, with a line to its mark where that is not beside it."""
        to_axes = self.panel.ax.transAxes.inverted()
        x, y = to_axes.transform(box[:2] + _GAP)
        text.set_position((float(x), float(y)))
        corner = np.clip(self.mark, box[:2], box[2:])
        if np.hypot(*(corner - self.mark)) > _BESIDE * self.panel.figure.dpi / 72.0:
            ends = to_axes.transform(np.array([corner, self.mark])).T
            axes = self.panel.ax
            axes.plot(
                *ends, transform=axes.transAxes, color=current().rule, linewidth=0.7, zorder=5
            )


def _write_note(panel: Panel, note: Note) -> Text:
    return panel.ax.text(
        0.0,
        0.0,
        note.text,
        transform=panel.ax.transAxes,
        color=note.colour or current().ink,
        fontsize=TEXT_POINTS - (0.8 if panel.small else 0.0),
        va="bottom",
        bbox={"facecolor": current().paper, "edgecolor": "none", "alpha": 0.75, "pad": 0.6},
        zorder=7,
    )


def _mark(panel: Panel, note: Note) -> Floats:
    """The point in pixels that a note belongs to."""
    bottom = panel.ax.get_ylim()[0]
    point = panel.ax.transData.transform((note.x, bottom if note.y is None else note.y))
    if note.y is None:
        point[1] = panel.ax.transAxes.transform((0.0, FOOT))[1]
    return np.asarray(point, np.float64)


def _box(artist: Text | Axes) -> Floats:
    return np.asarray(artist.get_window_extent().extents, np.float64)


def _around(point: Floats, half: float) -> Floats:
    return np.concatenate([point - half, point + half])


def _boxes(corners: Floats, size: Floats) -> Floats:
    return np.concatenate([corners, corners + size], axis=1)


def _overlaps(boxes: Floats, others: Floats) -> NDArray[np.bool_]:
    """Which of the boxes overlap which of the others, shape [boxes, others]."""
    one, other = boxes[:, None], others[None]
    apart = (one[..., :2] >= other[..., 2:]) | (one[..., 2:] <= other[..., :2])
    return np.asarray(~apart.any(axis=2))


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
