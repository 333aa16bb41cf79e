"""The coverage as it is shown and stored."""

from __future__ import annotations

import json
from dataclasses import asdict, dataclass, field
from typing import Any


@dataclass(slots=True)
class Line:
    """One thing autotrack looks for: how often it was seen, how, since when, or why it was not."""

    what: str
    seen: int
    how: str = ""
    missing: str = ""
    since: int | None = None

    @property
    def says(self) -> str:
        """The way it was seen, or why not and what to do."""
        if not self.seen:
            return self.missing
        return f"{self.how}, since step {self.since}" if self.since else self.how


@dataclass(slots=True)
class Coverage:
    """All lines, what failed inside autotrack, and the first non-finite values.

    `counts` has backward calls, steps and skipped steps; `modes`, by phase, how often the model was
    in training mode, how often in `eval()`, and whether it was in training mode last, where that
    makes a difference; `functions` the criteria that fed a backward, `composed` whether a loss was
    anything but one call of one of them.
    """

    lines: list[Line] = field(default_factory=list)
    failed: dict[str, str] = field(default_factory=dict)
    nonfinite: dict[str, dict[str, Any]] = field(default_factory=dict)
    notes: list[str] = field(default_factory=list)
    counts: dict[str, int] = field(default_factory=dict)
    modes: dict[str, list[int]] = field(default_factory=dict)
    functions: list[str] = field(default_factory=list)
    composed: bool = False

    @classmethod
    def of(cls, recorded: dict[str, Any]) -> Coverage:
        """Return a coverage as a record holds it, in the form of `json`."""
        return cls(**{**recorded, "lines": [Line(**line) for line in recorded.get("lines", [])]})

    def json(self) -> str:
        """Return everything as JSON text."""
        return json.dumps(asdict(self), default=str)

    def markdown(self) -> str:
        """Return the table as Markdown, for TensorBoard's text tab."""
        rows = ["| | seen | how, or why not |", "| --- | --- | --- |"]
        rows += [f"| {line.what} | {line.seen or 'no'} | {line.says} |" for line in self.lines]
        rows += ["", *(f"- {note}" for note in self._remarks())]
        return "\n".join(rows)

    def __str__(self) -> str:
        width = max((len(line.what) for line in self.lines), default=0)
        rows = [
            f"  {line.what:<{width}}  {line.seen or 'not seen':>8}  {line.says}"
            for line in self.lines
        ]
        return "\n".join([*rows, *(f"  {note}" for note in self._remarks())])

    def _remarks(self) -> list[str]:
        remarks = list(self.notes)
        for tag, where in self.nonfinite.items():
            named = f", first in {where['parameter']}" if "parameter" in where else ""
            remarks.append(f"{tag} became non-finite at step {where['step']}{named}")
        remarks += [
            f"{part} failed and was switched off: {why}" for part, why in self.failed.items()
        ]
        return remarks
