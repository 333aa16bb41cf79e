"""One pair of axes with what will be written into it once the figure's layout is known."""

from __future__ import annotations

from dataclasses import dataclass, field

from matplotlib.axes import Axes

from autotrack.report.positions import TimeAxis
from autotrack.report.style import INK


@dataclass(frozen=True)
class Note:
    """A text beside a point (x, y in data units) of a panel; without `y` beside a mark at the panel's foot.

    Where there is no room near the point, a note that is `needed` stands further away with a line to the point, and
    any other is left out. Notes of higher `rank` are placed first.
    """

    text: str
    x: float
    y: float | None
    colour: str = INK
    rank: int = 0
    needed: bool = False


FOOT = 0.03
"""Height of marks at a panel's foot, as a part of the panel."""


@dataclass(frozen=True)
class EndLabel:
    """The name of a line, written right of the panel at the height `y` (data units) at which the line ends."""

    text: str
    x: float
    y: float
    colour: str


@dataclass
class Panel:
    """Axes to draw in, the run's horizontal axis, and the notes and line names to be placed without overlaps.

    `small` panels stand beside others: they hold fewer words and ticks.
    """

    ax: Axes
    time: TimeAxis
    small: bool = False
    notes: list[Note] = field(default_factory=list)
    ends: list[EndLabel] = field(default_factory=list)

    def set_time(self) -> None:
        self.time.set_on(self.ax, labels=7 if self.small else 12)
