"""Figure: the learning rate of every step, by parameter group."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np

from autotrack.reports import canvas
from autotrack.reports.curves import draw_steps, end_of_line, name_line
from autotrack.reports.palette import current
from autotrack.reports.scales import finite, number, set_value_axis, wants_log
from autotrack.reports.tags import Curve

if TYPE_CHECKING:
    from matplotlib.figure import Figure

    from autotrack.history import History
    from autotrack.reports.panel import Panel
    from autotrack.series import Series

_MOST_NAMED = 3


def draw(history: History) -> Figure | None:
    """Draw the learning rates; None without any."""
    return canvas.single(history, fill) if exists(history) else None


def exists(history: History) -> bool:
    """Whether the record holds learning rates."""
    return bool(_curves(history))


def is_constant(history: History) -> bool:
    """Whether no group's rate ever changes."""
    return all(len(np.unique(curve.series.value)) == 1 for curve in _curves(history))


def fill(panel: Panel, history: History) -> None:
    """Draw the learning rates into a panel; groups with the same rates share a line."""
    panel.set_title("Learning Rate")
    panel.set_value_label("Learning rate")
    curves = _curves(history)
    log = _falls_by_factors([curve.series.value for curve in curves])
    set_value_axis(panel.ax, finite(curve.series.value for curve in curves), log=log)
    panel.set_time()
    for curve in curves:
        draw_steps(panel, curve, log=log, calm=False)
        x, y = end_of_line(panel, curve, None, log=log)
        shown = curve.series.value[np.isfinite(curve.series.value)]
        words = [curve.name] if len(curves) > 1 else []
        if len(shown) and shown.min() == shown.max():
            words.append(number(float(shown[0])))
        if words:
            name_line(panel, "\n".join(words), x, y, curve.colour)


def _falls_by_factors(values: list[np.ndarray]) -> bool:
    """Whether rates spend their time on different orders of magnitude, as in exponential decay.

    A cosine or linear schedule that ends near zero is drawn on a linear axis, as its own shape.
    """
    known = finite(values)
    return wants_log(values) and bool(np.median(known) < 0.1 * known.max())


def _curves(history: History) -> list[Curve]:
    """One curve for each distinct schedule, named after all groups that follow it."""
    shared: list[tuple[Series, str, list[str]]] = []
    for tag in history:
        group, _, name = tag.partition("/")
        if group == "LearningRate" and len(history[tag]):
            _share(shared, history[tag], *_split(history, name))
    colours = current().series
    return [
        Curve(series, stream, _joined(names), colours[index % len(colours)])
        for index, (series, stream, names) in enumerate(shared)
    ]


def _split(history: History, name: str) -> tuple[str, str]:
    """Stream and words of the name of a group: `opt_g/group0` is `opt_g`, `opt_g` `group 0`."""
    stream, _, group = name.rpartition("/")
    words = f"group {group[5:]}" if group.startswith("group") and group[5:].isdigit() else group
    known = stream if stream in history.streams else ""
    return known, f"{stream}\n{words}" if stream else words


def _share(
    shared: list[tuple[Series, str, list[str]]], series: Series, stream: str, name: str
) -> None:
    for other, its_stream, names in shared:
        same_steps = its_stream == stream and np.array_equal(other.step, series.step)
        if same_steps and np.array_equal(other.value, series.value, equal_nan=True):
            names.append(name)
            return
    shared.append((series, stream, [name]))


def _joined(names: list[str]) -> str:
    numbers = [name.removeprefix("group ") for name in names]
    if len(names) == 1 or not all(number.isdigit() for number in numbers):
        return "\n".join(names)
    return (
        f"groups {', '.join(numbers)}" if len(numbers) <= _MOST_NAMED else f"{len(numbers)} groups"
    )
