"""One pair of axes with what will be written into it once the figure's layout is known."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import TYPE_CHECKING, cast

from autotrack.reports.palette import current
from autotrack.reports.scales import whole
from autotrack.reports.style import TEXT_POINTS, TITLE_PAD

if TYPE_CHECKING:
    from matplotlib.axes import Axes
    from matplotlib.figure import Figure
    from matplotlib.text import Text

    from autotrack.reports.positions import TimeAxis


@dataclass(frozen=True)
class Note:
    """A text beside a point (x, y in data units) of a panel; without `y` beside a mark at its foot.

    Where there is no room near the point, a note that is `needed` stands further away with a line
    to the point, and any other is left out. Notes of higher `rank` are placed first.
    Without `colour` it is written in ink.
    """

    text: str
    x: float
    y: float | None
    colour: str = ""
    rank: int = 0
    needed: bool = False


FOOT = 0.03
"""Height of marks at a panel's foot, as a part of the panel."""


@dataclass(frozen=True)
class EndLabel:
    """The name of a line, written right of the panel at the height `y` at which the line ends."""

    text: str
    x: float
    y: float
    colour: str


@dataclass
class Panel:
    """Axes to draw in, the run's horizontal axis, and texts to be placed without overlaps.

    `small` panels stand beside others: they hold fewer words and ticks.
    """

    ax: Axes
    time: TimeAxis
    small: bool = False
    notes: list[Note] = field(default_factory=list)
    ends: list[EndLabel] = field(default_factory=list)
    aside: Text | None = None

    @property
    def figure(self) -> Figure:
        """The whole figure that the panel is part of."""
        return cast("Figure", self.ax.get_figure(root=True))

    def set_time(self) -> None:
        """Set the horizontal axis."""
        self.time.set_on(self.ax, labels=6 if self.small else 12)

    def set_title(self, title: str, aside: str = "") -> None:
        """Write a title over the left end of the panel and something `aside` over the right end.

        What stands aside is left out where it would come too close to the title.
        """
        self.ax.set_title(title, x=0.0, ha="left")
        if self.aside is not None:
            self.aside.remove()
        self.aside = self.ax.annotate(
            aside,
            (1.0, 1.0),
            xycoords="axes fraction",
            xytext=(0.0, TITLE_PAD),
            textcoords="offset points",
            ha="right",
            fontsize=TEXT_POINTS - (1.0 if self.small else 0.0),
            color=current().soft_ink,
            in_layout=False,
        )

    def say_smoothed(self, reach: int) -> None:
        """Say that the bold lines are smoothed over so many steps to either side."""
        self.set_title(self.ax.get_title(), f"smoothed over ±{whole(reach)} steps")

    def set_value_label(self, text: str) -> None:
        """Name the vertical axis; a small panel has its title for that."""
        if not self.small:
            self.ax.set_ylabel(text)
