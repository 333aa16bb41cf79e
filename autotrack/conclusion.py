"""The end of a run: what its record says, in words."""

from __future__ import annotations

import time
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from autotrack import findings
from autotrack.errors import RecordNotFoundError
from autotrack.history import read
from autotrack.jsontext import dumps
from autotrack.row import Row

if TYPE_CHECKING:
    from pathlib import Path


@dataclass(frozen=True)
class Conclusion:
    """What the record of a run says: the verdict and the findings, as plain data."""

    plain: dict[str, Any]
    markdown: str

    def row(self) -> Row:
        """The row that keeps it in the record."""
        row = Row(0, time.time(), texts=[("findings", self.markdown)])
        row.hidden.append(("autotrack/findings", dumps(self.plain)))
        return row


def conclude(directory: Path, *, strict: bool = False) -> Conclusion | None:
    """Return findings and verdict, read from the record in `directory`; None without a record.

    With `strict` a rule that raises is not passed over.
    """
    try:
        history = read(directory)
    except RecordNotFoundError:
        return None
    found = findings.find(history, strict=strict)
    verdict = findings.verdict(history, found)
    plain = {"verdict": verdict, "findings": findings.as_json(found)}
    return Conclusion(plain, findings.as_markdown(found, verdict))
