"""Figure: which class was taken for which, in the best evaluation."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import numpy as np
from matplotlib.colors import PowerNorm
from matplotlib.ticker import MultipleLocator

from autotrack.reports import canvas, style
from autotrack.reports.classes import best_evaluation, class_names
from autotrack.reports.depth import shortened
from autotrack.reports.palette import current
from autotrack.reports.scales import number, whole

if TYPE_CHECKING:
    from matplotlib.axes import Axes
    from matplotlib.figure import Figure
    from matplotlib.image import AxesImage

    from autotrack.history import History
    from autotrack.reports.classes import Shown
    from autotrack.reports.panel import Panel

_SIZE = (7.4, 5.2)
_LIST = 10
_NAME_LETTERS = 14
_LISTED_LETTERS = 11
# Up to so many classes every cell holds its count, and every class has its number.
_MOST_WITH_COUNTS = 20
# In a panel among others there is room for less.
_MOST_WITH_SHARES = 10
_FEWER_LETTERS = 9
# Names of classes that together are longer than this stand upright below a matrix.
_LETTERS_ABREAST = 30


def draw(history: History) -> Figure | None:
    """Draw counts by label and prediction, coloured by share of the label; None without any."""
    shown = best_evaluation(history)
    if shown is None:
        return None
    names = class_names(history, len(shown.counts))
    with style.applied():
        figure = canvas.new_figure(_SIZE, head=0.58)
        matrix, aside = figure.subplots(1, 2, width_ratios=[3.1, 1.0])
        image = _draw_matrix(matrix, shown)
        if len(shown.counts) <= _MOST_WITH_COUNTS:
            _write_counts(matrix, shown, image)
            _name_classes(matrix, names)
        _draw_key(matrix, image)
        canvas.write_heading(figure, "Confusion", shown.text)
        _list_confusions(aside, shown, names)
        canvas.finish(figure, [])
    return figure


def exists(history: History) -> bool:
    """Whether the record holds a confusion matrix."""
    return best_evaluation(history) is not None


def fill(panel: Panel, history: History) -> None:
    """Draw shares of each label's samples into a panel, in percent where there is room."""
    shown = best_evaluation(history)
    if shown is None:
        return
    image = _draw_matrix(panel.ax, shown)
    few = len(shown.counts) <= _MOST_WITH_SHARES
    panel.set_title("Confusion", "% of a label" if few else "")
    if few:
        _write_shares(panel.ax, shown, image)
        names = class_names(history, len(shown.counts))
        _name_classes(panel.ax, names, letters=_FEWER_LETTERS)
        # Upright names below would take the room of the curves beside; their order is that of rows.
        panel.ax.tick_params(axis="x", labelbottom=names is None)
    panel.ax.set_xlabel("Predicted")
    panel.ax.set_anchor("N")


def _draw_matrix(ax: Axes, shown: Shown) -> AxesImage:
    colours = style.ramp(current().heat)
    # Few mistakes among many samples are what one looks for: small shares get their colours too.
    norm = PowerNorm(0.5, 0.0, 100.0)
    image = ax.imshow(shown.shares, cmap=colours, norm=norm, interpolation="none")
    classes = len(shown.counts)
    ax.set_xlabel("Predicted class")
    ax.set_ylabel("Label")
    ax.grid(visible=False)
    ax.spines[:].set_visible(False)
    gap = next(gap for gap in (1, 5, 10, 20) if classes / gap <= _MOST_WITH_COUNTS)
    for axis in (ax.xaxis, ax.yaxis):
        axis.set_major_locator(MultipleLocator(gap))
        axis.set_tick_params(length=0)
    if classes <= _MOST_WITH_COUNTS:
        edges = np.arange(classes + 1) - 0.5
        ax.hlines(edges, -0.5, classes - 0.5, color=current().paper, linewidth=0.8)
        ax.vlines(edges, -0.5, classes - 0.5, color=current().paper, linewidth=0.8)
    return image


def _name_classes(ax: Axes, names: list[str] | None, letters: int = _NAME_LETTERS) -> None:
    if names is None:
        return
    labels = [shortened(name, letters) for name in names]
    ax.set_yticks(range(len(names)), labels=labels)
    upright = max(map(len, labels)) * len(labels) <= _LETTERS_ABREAST
    ax.set_xticks(range(len(names)), labels=labels, rotation=0 if upright else 90)


def _write_counts(ax: Axes, shown: Shown, image: AxesImage) -> None:
    classes = len(shown.counts)
    size = min(9.0, 96.0 / classes) if classes > 4 else 11.0
    for label, predicted in np.argwhere(shown.counts > 0):
        share, count = float(shown.shares[label, predicted]), int(shown.counts[label, predicted])
        text = whole(count) if classes > 4 else f"{whole(count)}\n{number(share, 3)} %"
        _write_cell(ax, image, (label, predicted), text, size)


def _write_shares(ax: Axes, shown: Shown, image: AxesImage) -> None:
    size = min(style.TEXT_POINTS - 0.8, 62.0 / len(shown.counts))
    # Below half a percent a cell is as good as empty.
    for label, predicted in np.argwhere(np.nan_to_num(shown.shares) >= 0.5):
        text = f"{shown.shares[label, predicted]:.0f}"
        _write_cell(ax, image, (label, predicted), text, size)


def _write_cell(ax: Axes, image: AxesImage, cell: tuple[int, int], text: str, size: float) -> None:
    label, predicted = cell
    share = np.asarray(image.get_array())[label, predicted]
    colour = style.text_on(image.cmap(image.norm(share))[:3])
    ax.text(predicted, label, text, ha="center", va="center", color=colour, fontsize=size)


def _draw_key(ax: Axes, image: AxesImage) -> None:
    strip = ax.figure.colorbar(image, ax=ax, aspect=30, pad=0.02, ticks=[0, 1, 5, 20, 50, 100])
    strip.ax.set_yticklabels(["0", "1", "5", "20", "50", "100"])
    strip.ax.tick_params(length=0)
    strip.set_label("Share of the label's samples (%)")
    strip.outline.set_visible(False)


def _list_confusions(ax: Axes, shown: Shown, names: list[str] | None) -> None:
    """Write the most frequent mistakes beside the matrix."""
    ax.set_axis_off()
    soft: dict[str, Any] = {"color": current().soft_ink, "fontsize": style.TEXT_POINTS}
    ax.text(0.0, 1.0, "Most often mistaken", va="top", fontweight="bold", transform=ax.transAxes)
    mistakes = _mistakes(shown)
    said = [
        shortened(name, _LISTED_LETTERS) for name in names or map(str, range(len(shown.counts)))
    ]
    between = "\n    " if names else " · "
    lines = [
        f"{said[a]} as {said[b]}{between}{whole(n)} of {whole(total)}"
        for a, b, n, total in mistakes[:_LIST]
    ]
    words = "\n".join(lines) or "none at all"
    ax.text(0.0, 0.935, words, va="top", linespacing=1.7, transform=ax.transAxes, **soft)


def _mistakes(shown: Shown) -> list[tuple[int, int, int, int]]:
    """Label, prediction, how often, and the label's samples; the most frequent first."""
    off = shown.counts.copy()
    np.fill_diagonal(off, 0)
    found = [(int(label), int(predicted)) for label, predicted in np.argwhere(off > 0)]
    totals = shown.counts.sum(axis=1)
    mistakes = [(a, b, int(off[a, b]), int(totals[a])) for a, b in found]
    return sorted(mistakes, key=lambda mistake: (-mistake[2], mistake[3], mistake[:2]))
