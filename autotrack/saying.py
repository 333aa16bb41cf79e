"""What a terminal is told of a run, in lines that steer no terminal."""

from __future__ import annotations

import textwrap
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from collections.abc import Mapping
    from pathlib import Path

_FINDINGS_TOLD = 5
_ENDINGS = {1: "st", 2: "nd", 3: "rd"}


def printable(text: str) -> str:
    """A person's own names without what would steer the terminal."""
    return " ".join("".join(c if c.isprintable() else " " for c in text).split())


def ordinal(number: int) -> str:
    """Return `2nd`, `5th`, `1,000th`."""
    teen = number % 100 in (11, 12, 13)
    return f"{number:,}{'th' if teen else _ENDINGS.get(number % 10, 'th')}"


def told(found: Mapping[str, Any], directory: Path, columns: int = 100) -> list[str]:
    """Return the lines that say what a run came to: the verdict, and its worst findings.

    `found` is as in the record: `verdict` and `findings`, worst first.
    """
    lines = textwrap.wrap(found.get("verdict", ""), columns - 2)
    faults = [one for one in found.get("findings", []) if one["severity"] != "note"]
    lines += [f"{one['severity']}: {one['title']}" for one in faults[:_FINDINGS_TOLD]]
    if len(faults) > _FINDINGS_TOLD:
        lines.append(f"and {len(faults) - _FINDINGS_TOLD} more: autotrack findings {directory}")
    return [f"  {printable(line)}" for line in lines]
