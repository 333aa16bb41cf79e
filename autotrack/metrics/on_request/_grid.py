"""Draws pictures in a grid, each with what the model takes it for."""

from __future__ import annotations

import math
import warnings
from typing import TYPE_CHECKING

import numpy as np

if TYPE_CHECKING:
    from numpy.typing import NDArray

_COLUMNS = 4
_INCH = 1.5
_TITLE = 0.3
_DOTS = 100
_RIGHT, _WRONG = "#1a7f37", "#c1121f"
# So many letters of twelve points fit above a picture; a name may have so many.
_LETTERS, _OF_A_NAME = 17, 14


def draw(
    pixels: NDArray[np.float32], chances: list[float], predicted: list[str], labels: list[str]
) -> NDArray[np.uint8]:
    """Return [height, width, 3] bytes of a grid of `pixels` [n, height, width, 3] from 0 to 1.

    Above each stand the class it is taken for and how surely; a wrong one names its label too.
    """
    from matplotlib.backends.backend_agg import FigureCanvasAgg
    from matplotlib.figure import Figure

    columns = min(_COLUMNS, len(pixels))
    rows = math.ceil(len(pixels) / columns)
    figure = Figure((columns * _INCH, rows * (_INCH + _TITLE)), dpi=_DOTS, facecolor="white")
    canvas = FigureCanvasAgg(figure)
    cell, share = 1 / rows, _INCH / (_INCH + _TITLE)
    for index, picture in enumerate(pixels):
        row, column = divmod(index, columns)
        bottom = 1 - (row + 1) * cell
        place = ((column + 0.03) / columns, bottom, 0.94 / columns, cell * share)
        axes = figure.add_axes(place)
        axes.set_axis_off()
        axes.imshow(picture, interpolation="nearest")
        is_right = predicted[index] == labels[index]
        title = f"{_short(predicted[index])}  {chances[index]:.0%}"
        if not is_right:
            title += f"  (is {_short(labels[index])})"
        middle = (column + 0.5) / columns, bottom + cell * (share + 0.4 * (1 - share))
        colour = _RIGHT if is_right else _WRONG
        size = 12 if len(title) <= _LETTERS else 12 * _LETTERS / len(title)
        written = figure.text(*middle, title, color=colour, size=size, ha="center", va="center")
        written.set_parse_math(False)
    with warnings.catch_warnings():
        # A letter that the font lacks is drawn as a box.
        warnings.filterwarnings("ignore", message="Glyph .* missing from")
        canvas.draw()  # type: ignore[no-untyped-call]
    drawn = canvas.buffer_rgba()  # type: ignore[no-untyped-call]
    return np.asarray(drawn)[:, :, :3].copy()


def _short(name: str) -> str:
    return name if len(name) <= _OF_A_NAME else f"{name[: _OF_A_NAME - 1]}…"
