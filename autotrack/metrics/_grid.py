"""Draws pictures in a grid, each with what the model takes it for."""

from __future__ import annotations

import math
from typing import TYPE_CHECKING

import numpy as np

if TYPE_CHECKING:
    from numpy.typing import NDArray

_COLUMNS = 4
_INCH = 1.5
_TITLE = 0.3
_DOTS = 100
_RIGHT, _WRONG = "#1a7f37", "#c1121f"


def draw(
    pixels: NDArray[np.float32], chances: list[float], predicted: list[int], labels: list[int]
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
        title = f"{predicted[index]}  {chances[index]:.0%}"
        if not is_right:
            title += f"  (is {labels[index]})"
        middle = (column + 0.5) / columns, bottom + cell * (share + 0.4 * (1 - share))
        colour = _RIGHT if is_right else _WRONG
        figure.text(*middle, title, color=colour, size=12, ha="center", va="center", usetex=False)
    canvas.draw()  # type: ignore[no-untyped-call]
    drawn = canvas.buffer_rgba()  # type: ignore[no-untyped-call]
    return np.asarray(drawn)[:, :, :3].copy()
