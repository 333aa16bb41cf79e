"""What a check says."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal


@dataclass(frozen=True)
class Check:
    """One thing looked at: `what`, how it is, and `cure`, what to do where it is not right.

    `state`: "good"; "poor" where autotrack works, but worse than it could; "bad" where it does not.
    """

    what: str
    state: Literal["good", "poor", "bad"]
    says: str
    cure: str = ""
