"""Figure: which class was taken for which, in the best evaluation."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import numpy as np
from matplotlib.colors import PowerNorm
from matplotlib.ticker import MultipleLocator

from autotrack.reports import canvas, style
from autotrack.reports.classes import best_evaluation
from autotrack.reports.palette import current
from autotrack.reports.scales import number, whole

if TYPE_CHECKING:
    from matplotlib.axes import Axes
    from matplotlib.figure import Figure
    from matplotlib.image import AxesImage

    from autotrack.history import History
    from autotrack.reports.classes import Shown

_SIZE = (7.4, 5.2)
_LIST = 10
# Up to so many classes every cell holds its count, and every class has its number.
_MOST_WITH_COUNTS = 20


def draw(history: History) -> Figure | None:
    """Draw counts by label and prediction, coloured by share of the label; None without any."""
    shown = best_evaluation(history)
    if shown is None:
        return None
    with style.applied():
        figure = canvas.new_figure(_SIZE, head=0.58)
        matrix, aside = figure.subplots(1, 2, width_ratios=[3.1, 1.0])
        image = _draw_matrix(matrix, shown)
        _draw_key(matrix, image)
        canvas.write_heading(figure, "Confusion", shown.text)
        _list_confusions(aside, shown)
        canvas.finish(figure, [])
    return figure


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
        _write_counts(ax, shown, image)
    return image


def _write_counts(ax: Axes, shown: Shown, image: AxesImage) -> None:
    classes = len(shown.counts)
    size = min(9.0, 96.0 / classes) if classes > 4 else 11.0
    edges = np.arange(classes + 1) - 0.5
    ax.hlines(edges, -0.5, classes - 0.5, color=current().paper, linewidth=0.8)
    ax.vlines(edges, -0.5, classes - 0.5, color=current().paper, linewidth=0.8)
    for label, predicted in np.argwhere(shown.counts > 0):
        share, count = shown.shares[label, predicted], int(shown.counts[label, predicted])
        text = whole(count) if classes > 4 else f"{whole(count)}\n{number(float(share), 3)} %"
        colour = style.text_on(image.cmap(image.norm(share))[:3])
        ax.text(predicted, label, text, ha="center", va="center", color=colour, fontsize=size)


def _draw_key(ax: Axes, image: AxesImage) -> None:
    strip = ax.figure.colorbar(image, ax=ax, aspect=30, pad=0.02, ticks=[0, 1, 5, 20, 50, 100])
    strip.ax.set_yticklabels(["0", "1", "5", "20", "50", "100"])
    strip.ax.tick_params(length=0)
    strip.set_label("Share of the label's samples (%)")
    strip.outline.set_visible(False)


def _list_confusions(ax: Axes, shown: Shown) -> None:
    """Write the most frequent mistakes beside the matrix."""
    ax.set_axis_off()
    soft: dict[str, Any] = {"color": current().soft_ink, "fontsize": style.TEXT_POINTS}
    ax.text(0.0, 1.0, "Most often mistaken", va="top", fontweight="bold", transform=ax.transAxes)
    mistakes = _mistakes(shown)
    lines = [f"{a} as {b} · {whole(n)} of {whole(total)}" for a, b, n, total in mistakes[:_LIST]]
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
