"""Curves that grow while a run goes on, kept small: a mean, a least and a most a cell."""

from __future__ import annotations

import math
from dataclasses import dataclass, field

_CELLS = 300


@dataclass
class Curve:
    """The points of one series, x never falling; beyond 600 cells, two neighbours become one."""

    span: float = 1.0
    cells: list[list[float]] = field(default_factory=list)

    def add(self, x: float, y: float) -> None:
        """Add a point; one that is not finite is left out."""
        if not math.isfinite(y):
            return
        if self.cells and x - self.cells[-1][0] < self.span:
            cell = self.cells[-1]
            cell[1] += y
            cell[2] += 1
            cell[3], cell[4] = min(cell[3], y), max(cell[4], y)
        else:
            self.cells.append([x, y, 1, y, y])
        if len(self.cells) > 2 * _CELLS:
            self._halve()

    def _halve(self) -> None:
        self.span *= 2
        old, self.cells = self.cells, []
        for x, total, number, least, most in old:
            if self.cells and x - self.cells[-1][0] < self.span:
                last = self.cells[-1]
                last[1:] = [
                    last[1] + total,
                    last[2] + number,
                    min(last[3], least),
                    max(last[4], most),
                ]
            else:
                self.cells.append([x, total, number, least, most])

    def means(self) -> list[tuple[float, float]]:
        """The mean of each cell."""
        return [(x, total / number) for x, total, number, _, _ in self.cells]

    def extremes(self) -> list[tuple[float, float, float]]:
        """The least and the most of each cell."""
        return [(x, least, most) for x, _, _, least, most in self.cells]
