"""Which charts a record gives: loss first, then what else it holds, then the person's own."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import TYPE_CHECKING

import numpy as np

from autotrack.reports.intervals import interval_sentence
from autotrack.reports.page.grouping import groups
from autotrack.reports.page.lines import Line, lines_of
from autotrack.reports.palette import LIGHT
from autotrack.reports.scales import whole
from autotrack.reports.tags import Curve, before_training, evaluations, training

if TYPE_CHECKING:
    from collections.abc import Iterable

    from numpy.typing import NDArray

    from autotrack.history import History
    from autotrack.reports.positions import TimeAxis

    Floats = NDArray[np.float64]

_MOST_LINES = 12
_MOST_OTHERS = 24
# groups with the same rates share a line, and of two throughputs one is enough
_SHOWN_ABOVE = ("Loss/train_epoch", "Throughput/", "LearningRate/")
_RIGHT = "Share of right predictions."
_EXPLAINED = "Share of the targets' variance that is explained."


@dataclass
class Chart:
    """A chart: its lines, and how they are shown.

    `log` None leaves the choice of the scale to the values; `zero` keeps 0 on the axis; `skips` are
    the positions at which a gradient scaler skipped steps, marked at the foot.
    """

    key: str
    title: str
    about: str
    lines: list[Line] = field(default_factory=list)
    unit: str = ""
    log: bool | None = None
    zero: bool = False
    main: bool = False
    skips: Floats = field(default_factory=lambda: np.empty(0))

    def holds(self, tag: str) -> bool:
        """Whether the series of a tag is among the lines."""
        return any(line.tag == tag for line in self.lines)


def charts(history: History, axis: TimeAxis) -> tuple[list[Chart], int]:
    """All charts that have a line, and how many series of the record there was no room for."""
    known = [
        _loss(history, axis),
        _quality(history, axis, "Accuracy", "Accuracy", about=_RIGHT, unit="%"),
        _quality(history, axis, "R2", "R²", about=_EXPLAINED),
        _quality(history, axis, "MAE", "Mean absolute error", about="In units of the target."),
        _gradient_norm(history, axis),
        _learning_rate(history, axis),
        _plain(
            history,
            axis,
            "UpdateRatio/total",
            "Update ratio",
            "Size of a step relative to the weights; around 10⁻³ is usual.",
            log=True,
        ),
        *_throughput(history, axis),
    ]
    known = [chart for chart in known if chart.lines]
    shown = {line.tag for chart in known for line in chart.lines}
    left = [tag for tag in history if tag not in shown and len(history[tag]) and not _is_aside(tag)]
    others = [_other(history, axis, *group) for group in groups(left)]
    found = [*known, *others[:_MOST_OTHERS]]
    for index, chart in enumerate(found):
        chart.key = f"chart-{index + 1}"
    if found:
        found[0].main = True
    return found, sum(len(chart.lines) for chart in others[_MOST_OTHERS:])


def _is_aside(tag: str) -> bool:
    # an evaluation before training stands in its phase's chart, means of epochs beside their steps
    return tag.endswith("_initial") or tag.startswith(_SHOWN_ABOVE)


def _colour(curve: Curve) -> int:
    return LIGHT.series.index(curve.colour)


def _steps(
    history: History, axis: TimeAxis, tag: str, name: str, *, calm: bool = False, dash: int = 0
) -> list[Line]:
    return [
        line
        for curve in training(history, tag, name)
        for line in lines_of(curve, axis, _colour(curve), calm=calm, dash=dash)
    ]


def _passes(history: History, axis: TimeAxis, quantity: str) -> Iterable[Line]:
    for curve in evaluations(history, quantity)[:_MOST_LINES]:
        (line,) = lines_of(curve, axis, _colour(curve))
        before = before_training(history, quantity, curve)
        yield line if before is None else _joined(line, before, axis)


def _joined(line: Line, before: Curve, axis: TimeAxis) -> Line:
    """A line with the evaluation before training at its start."""
    first = before.series
    return Line(
        line.tag,
        line.name,
        line.colour,
        line.kind,
        np.concatenate([axis.at(first, before.stream), line.x]),
        np.concatenate([first.value.astype(np.float64), line.y]),
        np.concatenate([first.step, line.step]),
        np.concatenate([first.epoch, line.epoch]),
        line.dash,
    )


def _loss(history: History, axis: TimeAxis) -> Chart:
    chart = Chart("", "Loss", "What training minimises, at every step and at every evaluation.")
    means = [] if axis.by_epoch else training(history, "Loss/train_epoch", "train")
    means = [curve for curve in means if len(curve.series) > 1]
    with_means = {curve.stream for curve in means}
    for curve in training(history, "Loss/train"):
        lines = lines_of(curve, axis, _colour(curve), calm=True)
        if curve.stream in with_means and len(curve.series) > 1:
            raw = lines[0]
            places = (raw.x, raw.y, raw.step, raw.epoch)
            lines = [Line(raw.tag, f"{raw.name}, every step", raw.colour, "raw", *places)]
        chart.lines += lines
    for curve in means:
        (line,) = lines_of(curve, axis, _colour(curve), name=f"{curve.name}, {axis.mean}")
        chart.lines.append(line)
    chart.lines += _passes(history, axis, "Loss")
    _mark_skips(chart, history, axis)
    return chart


def _mark_skips(chart: Chart, history: History, axis: TimeAxis) -> None:
    found = [axis.at_steps(steps, stream) for stream, steps in history.skipped.items()]
    if sum(map(len, found)):
        chart.skips = np.concatenate(found)
        steps = "1 step" if len(chart.skips) == 1 else f"{whole(len(chart.skips))} steps"
        chart.about += f" Marks at the foot: {steps} that the gradient scaler skipped."


def _quality(
    history: History, axis: TimeAxis, quantity: str, title: str, *, about: str, unit: str = ""
) -> Chart:
    lines = [
        *_steps(history, axis, f"{quantity}/train", "train"),
        *_passes(history, axis, quantity),
    ]
    return Chart("", title, about, lines, unit, log=None if quantity == "MAE" else False)


def _plain(
    history: History, axis: TimeAxis, tag: str, title: str, about: str, *, log: bool | None = None
) -> Chart:
    return Chart("", title, about, _steps(history, axis, tag, "all parameters"), log=log)


def _gradient_norm(history: History, axis: TimeAxis) -> Chart:
    about = "Length of the gradient over all parameters."
    lines = _steps(history, axis, "GradNorm/total", "before clipping", calm=True)
    clipped = _steps(history, axis, "GradNorm/clipped", "after clipping", dash=1)
    if not clipped:
        about = "Length of the gradient over all parameters, before any clipping."
    several = len(history.streams) > 1
    for line in clipped:
        colour = line.colour if several else 1
        name = f"{line.name}, clipped" if several else line.name
        places = (line.x, line.y, line.step, line.epoch)
        lines.append(Line(line.tag, name, colour, line.kind, *places, dash=1))
    about += interval_sentence(history, "gradient_norm")
    chart = Chart("", "Gradient norm", about, lines)
    _mark_skips(chart, history, axis)
    return chart


def _learning_rate(history: History, axis: TimeAxis) -> Chart:
    chart = Chart("", "Learning rate", "Of each group of parameters, as the optimizer used it.")
    distinct: list[Line] = []
    for tag, series in history.items():
        group, _, name = tag.partition("/")
        if group != "LearningRate" or not len(series):
            continue
        stream = next((s for s in history.streams if s and name.startswith(f"{s}/")), "")
        words = name.replace("group", "group ").replace("/", ", ")
        curve = Curve(series, stream, words, LIGHT.series[0])
        colour = len(distinct) % len(LIGHT.series)
        (line,) = lines_of(curve, axis, colour, dash=len(distinct) // len(LIGHT.series))
        if not any(np.array_equal(line.x, o.x) and np.array_equal(line.y, o.y) for o in distinct):
            distinct.append(line)
    chart.lines = distinct[:_MOST_LINES]
    return chart


def _throughput(history: History, axis: TimeAxis) -> list[Chart]:
    found: list[Chart] = []
    for unit in ("samples", "steps"):
        lines = _steps(history, axis, f"Throughput/{unit}_per_second", f"{unit} per second")
        if lines and not found:
            about = f"{unit.capitalize()} trained a second."
            found.append(Chart("", "Throughput", about, lines, log=False, zero=True))
    waited = _steps(history, axis, "Throughput/loader_wait", "waiting")
    about = "Share of the training time spent waiting for the next batch."
    return [*found, Chart("", "Waiting for data", about, waited, "%", log=False, zero=True)]


def _other(history: History, axis: TimeAxis, title: str, members: list[tuple[str, str]]) -> Chart:
    chart = Chart("", title, "")
    for index, (tag, name) in enumerate(members[:_MOST_LINES]):
        curve = Curve(history[tag], "", name, LIGHT.series[0])
        few = len(members) <= 3
        colour = index % len(LIGHT.series)
        dash = index // len(LIGHT.series)
        chart.lines += lines_of(curve, axis, colour, calm=few, dash=dash)
    return chart
