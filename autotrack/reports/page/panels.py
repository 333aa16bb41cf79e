"""Charts ready for the template: paths, ticks, a table of values, and what a reader hears."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

import numpy as np

from autotrack.reports.page import drawing
from autotrack.reports.page.scale import RunScale, Tick, ValueScale
from autotrack.reports.scales import number, whole

if TYPE_CHECKING:
    from autotrack.reports.page.charts import Chart
    from autotrack.reports.page.lines import Line


@dataclass(frozen=True)
class Row:
    """One line in the table of a chart: its name and what can be said of its values."""

    name: str
    colour: int
    dash: int
    kind: str
    points: str
    first: str
    last: str
    lowest: str
    highest: str
    missing: int
    note: str


@dataclass(frozen=True)
class Flag:
    """A mark on a chart where a finding is seen, from `place` over `width`, shares of the axis."""

    finding: int
    severity: str
    place: float
    width: float
    title: str


@dataclass
class Panel:
    """A chart as the template writes it; `paths` are (classes, SVG path).

    `skips` is the path of the marks of skipped steps, `skipped` their positions along the run.
    """

    chart: Chart
    scale: ValueScale
    ticks: list[Tick]
    paths: list[tuple[str, str]]
    rows: list[Row]
    missing: str
    skips: str = ""
    skipped: list[float] = field(default_factory=list)
    flags: list[Flag] = field(default_factory=list)

    @property
    def description(self) -> str:
        """The chart in words."""
        said = [f"{row.name}: from {row.first} to {row.last}" for row in self.rows]
        kind = "logarithmic" if self.scale.log else "linear"
        return f"{self.chart.title}, {kind} scale. {'; '.join(said)}."

    def takes_logs(self) -> bool:
        """Whether a logarithmic scale can show the values: none is negative, some are positive."""
        values = np.concatenate([line.y[np.isfinite(line.y)] for line in self.chart.lines])
        return bool(len(values) and values.min() >= 0 and values.max() > 0)

    def data(self, lines: list[dict[str, Any]]) -> dict[str, Any]:
        """The chart as the page's script reads it."""
        return {
            "key": self.chart.key,
            "unit": self.chart.unit,
            "log": self.scale.log,
            "zero": self.chart.zero,
            "logs": self.chart.log is not False and self.takes_logs(),
            "lines": lines,
            "skips": self.skipped,
            "flags": [{"at": f.place, "width": f.width, "finding": f.finding} for f in self.flags],
        }


def panel(chart: Chart, run: RunScale) -> Panel:
    """Draw a chart over the whole run."""
    scale = ValueScale.of([line.y for line in chart.lines], log=chart.log, zero=chart.zero)
    paths = []
    missing = []
    for line in chart.lines:
        x, y = run.share(line.x), scale.share(line.y)
        look = f"c{line.colour} d{line.dash}"
        parted = run.axis.parted(line.x, line.y, done=line.done)
        paths.append(
            (f"{line.kind} {look}", drawing.path(run.share(parted[0]), scale.share(parted[1])))
        )
        if line.kind == "dots" or len(y) == 1:
            paths.append((f"points {look}", drawing.dots(x, y)))
        missing.append(x[~np.isfinite(line.y)])
    between = drawing.SIDE * run.share(run.axis.lines_between())
    paths.append(("between", "".join(f"M{place:.1f} 0V{drawing.SIDE}" for place in between)))
    rows = [_row(line, chart.unit) for line in chart.lines]
    skipped = np.unique(np.round(run.share(chart.skips), 3), return_index=True)[1]
    places = chart.skips[skipped]
    skips = "".join(
        f"M{place:.1f} {drawing.SIDE}v-30" for place in drawing.SIDE * run.share(places)
    )
    known = np.round(places, 1).tolist()
    return Panel(chart, scale, scale.ticks(), paths, rows, _crosses(missing), skips, known)


def _crosses(places: list[np.ndarray]) -> str:
    """Marks along the top of a chart where values are not finite."""
    known = np.unique(np.round(drawing.SIDE * np.concatenate(places)).astype(np.int64))
    return "".join(f"M{place} 0V26" for place in known.tolist())


def _row(line: Line, unit: str) -> Row:
    finite = np.isfinite(line.y)
    known = np.flatnonzero(finite)
    words = {"first": "—", "last": "—", "lowest": "—", "highest": "—"}
    if len(known):
        places = {
            "first": known[0],
            "last": known[-1],
            "lowest": known[np.argmin(line.y[known])],
            "highest": known[np.argmax(line.y[known])],
        }
        words = {key: said(float(line.y[at]), unit) for key, at in places.items()}
        for key in ("lowest", "highest"):
            words[key] += f" ({moment(line, int(places[key]))})"
    return Row(
        name=line.name,
        colour=line.colour,
        dash=line.dash,
        kind=line.kind,
        points=whole(len(line.y)),
        missing=int((~finite).sum()),
        note=line.note,
        **words,
    )


def said(value: float, unit: str = "") -> str:
    """A value with its unit."""
    return f"{number(value, 4)}{' ' + unit if unit else ''}"


def moment(line: Line, index: int) -> str:
    """Where a point of a line stands, in words."""
    epoch = int(line.epoch[index])
    if epoch >= 0 and line.kind == "dots":
        return f"epoch {epoch}"
    return f"step {whole(int(line.step[index]))}"
