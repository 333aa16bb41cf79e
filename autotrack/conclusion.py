"""The last row of a run: what its record says, in words."""

from __future__ import annotations

import time
from typing import TYPE_CHECKING

from autotrack import findings
from autotrack.errors import RecordNotFoundError
from autotrack.history import read
from autotrack.jsontext import dumps
from autotrack.row import Row

if TYPE_CHECKING:
    from pathlib import Path


def conclusion(directory: Path, *, strict: bool = False) -> Row | None:
    """Return findings and verdict, read from the record in `directory`; None without a record.

    With `strict` a rule that raises is not passed over.
    """
    try:
        history = read(directory)
    except RecordNotFoundError:
        return None
    found = findings.find(history, strict=strict)
    verdict = findings.verdict(history, found)
    row = Row(0, time.time(), texts=[("findings", findings.as_markdown(found, verdict))])
    plain = {"verdict": verdict, "findings": findings.as_json(found)}
    row.hidden.append(("autotrack/findings", dumps(plain)))
    return row
