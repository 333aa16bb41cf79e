"""What happened in a run, marked on its curves: findings, new learning rates, skipped steps."""

from __future__ import annotations

from typing import TYPE_CHECKING
from weakref import ref

import numpy as np

from autotrack.findings import find
from autotrack.reports.palette import current
from autotrack.reports.panel import FOOT, Note, Panel
from autotrack.reports.scales import number, whole
from autotrack.reports.style import letters

if TYPE_CHECKING:
    from collections.abc import Iterable

    from numpy.typing import NDArray

    from autotrack.findings import Evidence, Finding
    from autotrack.history import History
    from autotrack.reports.tags import Curve

# Findings that happen at a moment of a curve, in a word or two. Extremes, sharp drops and values
# that are not finite are marked by the curve itself.
_MOMENTS = {"loss-spikes": "spike", "divergence": "diverges"}
_STRETCHES = {"overfitting": "overfitting"}
_MOST_MOMENTS = 3
_MOST_RATES = 12
_NAMED_RATES = 4
# A schedule that changes at more of its steps than this is a curve, not a staircase.
_SELDOM = 0.02

_last: tuple[ref[History], list[Finding]] | None = None


def found_in(history: History) -> list[Finding]:
    """What the rules find, worked out once for all figures of a run."""
    global _last  # noqa: PLW0603 - one run's findings are kept until another run is drawn
    if _last is None or _last[0]() is not history:
        _last = (ref(history), find(history))
    return _last[1]


def mark_findings(panel: Panel, history: History, curves: Iterable[Curve]) -> None:
    """Mark on the drawn curves where findings happened."""
    by_tag = {curve.series.tag: curve for curve in curves}
    for finding in found_in(history):
        seen = [e for e in finding.evidence if e.tag in by_tag and e.first_step is not None]
        if finding.rule in _STRETCHES and seen:
            _shade(panel, by_tag[seen[0].tag], seen[0], _STRETCHES[finding.rule])
        elif finding.rule in _MOMENTS:
            for evidence in seen[:_MOST_MOMENTS]:
                _mark(panel, by_tag[evidence.tag], evidence, _MOMENTS[finding.rule])


def _mark(panel: Panel, curve: Curve, evidence: Evidence, word: str) -> None:
    index = _index(curve, evidence.first_step)
    x = float(panel.time.at(curve.series, curve.stream)[index])
    y = float(curve.series.value[index])
    if np.isfinite(y):
        panel.notes.append(Note(word, x, y, letters(current().alarm), rank=4))


def _shade(panel: Panel, curve: Curve, evidence: Evidence, word: str) -> None:
    x = panel.time.at(curve.series, curve.stream)
    start, end = float(x[_index(curve, evidence.first_step)]), float(x[-1])
    if end > start:
        colour = current().alarm
        panel.ax.axvspan(start, end, color=colour, alpha=0.05, linewidth=0, zorder=0)
        top = _height(panel, 0.985)
        panel.notes.append(Note(word, (start + end) / 2, top, letters(colour), rank=5))


def _index(curve: Curve, step: int | None) -> int:
    return min(int(np.searchsorted(curve.series.step, step or 0)), len(curve.series) - 1)


def _height(panel: Panel, part: float) -> float:
    """The value at a part of the panel's height."""
    pixel = panel.ax.transAxes.transform((0.0, part))
    return float(panel.ax.transData.inverted().transform(pixel)[1])


def mark_rates(panel: Panel, history: History) -> None:
    """Mark where the learning rate of the first group changed, if it did so now and then."""
    tags = [tag for tag in history if tag.startswith("LearningRate/")]
    if not tags or len(history.streams) > 1:
        return
    series = history[tags[0]]
    changes = rate_changes(series.value)
    places = panel.time.at(series)
    for order, index in enumerate(changes):
        x = float(places[index])
        panel.ax.axvline(x, color=current().rule, linewidth=0.7, linestyle=(0, (2, 3)), zorder=1)
        if order < _NAMED_RATES and not panel.small:
            words = _factor(float(series.value[index - 1]), float(series.value[index]))
            top = _height(panel, 0.97)
            panel.notes.append(Note(f"rate {words}", x, top, current().soft_ink, rank=1))


def mark_skipped(panel: Panel, history: History) -> None:
    """Mark at the foot of the panel where a gradient scaler skipped steps."""
    places = [
        panel.time.at_steps(steps, stream)
        for stream, steps in history.skipped.items()
        if len(steps)
    ]
    if not places:
        return
    at = np.unique(np.concatenate(places))
    panel.ax.plot(
        at,
        np.full(len(at), FOOT),
        "|",
        color=current().soft_ink,
        markersize=6,
        markeredgewidth=1.2,
        transform=panel.ax.get_xaxis_transform(),
        zorder=6,
        clip_on=False,
    )
    count = sum(map(len, places))
    words = "skipped" if panel.small else f"step{'s' * (count != 1)} skipped"
    text = f"{whole(count)} {words}"
    panel.notes.append(Note(text, float(at[0]), None, current().soft_ink, rank=3))


def rate_changes(rates: NDArray[np.floating]) -> NDArray[np.int64]:
    """Indices of the first step of each new rate of a staircase; empty for any other schedule."""
    changes = np.flatnonzero(np.diff(rates) != 0) + 1
    seldom = len(changes) <= max(1, _SELDOM * len(rates))
    return changes if seldom and len(changes) <= _MOST_RATES else changes[:0]


def _factor(before: float, after: float) -> str:
    if not (before > 0 and after > 0):
        return f"{number(before, 2)} → {number(after, 2)}"
    if after < before:
        return f"÷ {number(before / after, 2)}"
    return f"× {number(after / before, 2)}"
