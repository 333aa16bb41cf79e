"""In a notebook: one figure below the cell, drawn anew in place while the run goes on."""

from __future__ import annotations

import sys
import time
from typing import TYPE_CHECKING, Any

from autotrack.colours import ON_EITHER
from autotrack.sinks._curve import Curve
from autotrack.sinks._picture import Line, picture
from autotrack.sinks._standing import Standing
from autotrack.sinks.terminal import status

if TYPE_CHECKING:
    from collections.abc import Iterable
    from pathlib import Path

    from autotrack.records import Record

_SECONDS = 2.0
# Of the time between two pictures, what drawing one may take.
_SHARE = 0.02
_FAMILIES = {"Loss": "Loss", "Accuracy": "Accuracy (%)", "R2": "R²"}


def open(directory: Path) -> NotebookSink | None:  # noqa: A001 - the verb every sink has
    """Return a sink for the notebook whose kernel this process is; None elsewhere."""
    shell = sys.modules["IPython"].get_ipython() if "IPython" in sys.modules else None
    if getattr(shell, "kernel", None) is None:
        return None
    return NotebookSink(directory)


class NotebookSink:
    """Shows the curves of a run; the last picture stays in the notebook."""

    def __init__(self, directory: Path) -> None:
        self._directory = directory
        self._standing = Standing()
        self._curves: dict[str, Curve] = {}
        self._display: str | None = None
        self._next = 0.0

    def write(self, records: Iterable[Record]) -> None:
        """Take some records; draw where the last picture is old enough."""
        taken = list(records)
        self._standing.see(taken)
        for record in taken:
            step = self._step_of(record)
            for tag, value in record.scalars:
                if tag.partition("/")[0] in _FAMILIES and not tag.endswith("_initial"):
                    self._curves.setdefault(tag, Curve()).add(step, value)
        if time.monotonic() >= self._next:
            began = time.perf_counter()
            self._draw()
            took = time.perf_counter() - began
            self._next = time.monotonic() + max(_SECONDS, took / _SHARE)

    def close(self) -> None:
        """Draw the picture that stays."""
        self._draw()

    def _step_of(self, record: Record) -> int:
        """The step at which a record stands: a pass carries it, for its x is the epoch."""
        for tag, value in record.hidden:
            if tag.startswith("autotrack/step") and not isinstance(value, (str, list)):
                return int(value.reshape(-1)[0])
        return record.x

    def _draw(self) -> None:
        panels = [(title, self._lines(family)) for family, title in _FAMILIES.items()]
        panels = [(title, lines) for title, lines in panels if lines]
        if not panels:
            return
        self._show({"text/html": picture(self._head(), panels), "text/plain": self._head()})

    def _head(self) -> str:
        parts = (" ".join(part for part in pair if part) for pair in status(self._standing))
        return " · ".join(parts)

    def _lines(self, family: str) -> list[Line]:
        """The curves of one quantity: training a step (or an epoch), then each evaluation."""
        found = {t: c for t, c in self._curves.items() if t.partition("/")[0] == family and c.cells}
        found = {t: c for t, c in found.items() if "train_epoch" not in t}
        evaluations = [t for t in found if not t.partition("/")[2].startswith("train")]
        training = [t for t in found if t not in evaluations]
        lines = []
        for index, tag in enumerate([*training, *evaluations]):
            name = tag.partition("/")[2]
            name = name.removeprefix("train/") if len(training) > 1 else name
            marked = family != "Loss" or tag in evaluations
            lines.append(Line(name, ON_EITHER[index % len(ON_EITHER)], found[tag], points=marked))
        return lines

    def _show(self, bundle: dict[str, Any]) -> None:
        from IPython.display import display, update_display

        if self._display is None:
            self._display = f"autotrack-{id(self):x}-{time.time_ns():x}"
            display(bundle, raw=True, display_id=self._display)  # type: ignore[no-untyped-call]
        else:
            update_display(bundle, raw=True, display_id=self._display)  # type: ignore[no-untyped-call]
