"""Figure: which part of each class was recognised, in the best evaluation and in training."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np
from matplotlib.ticker import MaxNLocator

from autotrack.reports import canvas
from autotrack.reports.classes import best_evaluation, class_names, training_beside
from autotrack.reports.depth import shortened
from autotrack.reports.palette import current
from autotrack.reports.panel import EndLabel, Note
from autotrack.reports.scales import number, set_value_axis
from autotrack.reports.style import letters

if TYPE_CHECKING:
    from matplotlib.figure import Figure
    from numpy.typing import NDArray

    from autotrack.history import History
    from autotrack.reports.classes import Shown
    from autotrack.reports.panel import Panel

_MOST_NAMED = 3
_MOST_WITH_NAMES = 30
_NAME_LETTERS = 16
_LETTERS_ABREAST = 60


def draw(history: History) -> Figure | None:
    """Draw the accuracy within each class; None without confusion matrices."""
    return canvas.single(history, fill) if exists(history) else None


def exists(history: History) -> bool:
    """Whether the record holds a confusion matrix."""
    return best_evaluation(history) is not None


def fill(panel: Panel, history: History) -> None:
    """Draw the accuracies by class into a panel, the worst ones named."""
    shown = best_evaluation(history)
    if shown is None:
        return
    panel.set_title("Accuracy by Class", shown.text)
    panel.set_value_label("Recognised (%)")
    trained = training_beside(history, shown)
    both = [one for one in (trained, shown) if one is not None]
    names = class_names(history, len(shown.counts))
    _set_axes(panel, both, names)
    _draw_gaps(panel, both)
    for one in both:
        _draw_dots(panel, one, hollow=one is trained)
    _name_worst(panel, shown, names)


def _set_axes(panel: Panel, both: list[Shown], names: list[str] | None) -> None:
    values = np.concatenate([recognised(one) for one in both])
    values = np.append(values[np.isfinite(values)], 100.0)
    set_value_axis(panel.ax, values, room=(0.14, 0.03))
    low, high = panel.ax.get_ylim()
    panel.ax.set_ylim(max(low, -3.0), min(high, 103.0))
    classes = len(both[0].counts)
    panel.ax.set_xlim(-0.6, classes - 0.4)
    panel.ax.set_xlabel("Class")
    ticks = MaxNLocator(nbins=20, integer=True, steps=[1, 2, 5, 10])
    panel.ax.xaxis.set_major_locator(ticks)
    if names is not None and classes <= _MOST_WITH_NAMES:
        labels = [shortened(name, _NAME_LETTERS) for name in names]
        upright = max(map(len, labels)) * classes <= _LETTERS_ABREAST
        panel.ax.set_xticks(range(classes), labels=labels, rotation=0 if upright else 90)


def _draw_gaps(panel: Panel, both: list[Shown]) -> None:
    """A line from training to evaluation, so that classes learned by heart stand out."""
    if len(both) == 2:
        low, high = recognised(both[0]), recognised(both[1])
        panel.ax.vlines(np.arange(len(low)), low, high, color=current().rule, zorder=2)


def _draw_dots(panel: Panel, one: Shown, *, hollow: bool) -> None:
    colour = _colour(one)
    values = recognised(one)
    size = 5.5 if len(values) <= 40 else 3.8
    panel.ax.plot(
        np.arange(len(values)),
        values,
        "o",
        markersize=size,
        markerfacecolor=current().paper if hollow else colour,
        markeredgecolor=colour,
        markeredgewidth=1.1,
        clip_on=False,
        zorder=4 if hollow else 5,
    )
    overall = float(one.series.accuracy[one.row])
    panel.ax.axhline(overall, color=colour, linewidth=0.8, linestyle=(0, (4, 3)), zorder=1)
    name = f"{one.phase}\n{number(overall)} %"
    panel.ends.append(EndLabel(name, float(len(values)), overall, letters(colour)))


def _name_worst(panel: Panel, shown: Shown, names: list[str] | None) -> None:
    values = recognised(shown)
    order = [int(index) for index in np.argsort(values) if np.isfinite(values[index])]
    for place, index in enumerate(order[:_MOST_NAMED] if len(values) > 2 else order[:1]):
        if values[index] < shown.series.accuracy[shown.row]:
            name = shortened(names[index], _NAME_LETTERS) if names else f"class {index}"
            text = f"{name} · {number(float(values[index]))} %"
            colour = letters(_colour(shown))
            note = Note(text, float(index), float(values[index]), colour, 9 - place, place == 0)
            panel.notes.append(note)


def recognised(shown: Shown) -> NDArray[np.float64]:
    """Percent of each class's samples that were taken for it, shape [classes]; NaN without any."""
    values: NDArray[np.float64] = np.diagonal(shown.shares)
    return values


def _colour(shown: Shown) -> str:
    return current().of_phase(shown.phase.partition("/")[0]) or current().series[1]
