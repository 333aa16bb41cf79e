"""What a run says, in words: one file a rule, each a function of the record alone.

A rule is a module of this folder with `find(history)`, which gives findings; its name is the rule's
identifier. `EXPLAINS` in a rule names the rules whose findings are only consequences of its own, so
that one cause is told once.
"""

from __future__ import annotations

from autotrack.findings._curves import noise
from autotrack.findings._drops import Drop, drops_of
from autotrack.findings._finding import Evidence, Finding, Severity
from autotrack.findings._last import last_training
from autotrack.findings._rules import find, rules
from autotrack.findings._text import as_json, as_markdown
from autotrack.findings._verdict import verdict

__all__ = [
    "Drop",
    "Evidence",
    "Finding",
    "Severity",
    "as_json",
    "as_markdown",
    "drops_of",
    "find",
    "last_training",
    "noise",
    "rules",
    "verdict",
]
