"""When a loss has run away beyond doubt: said during the run and after it by the same measure."""

from __future__ import annotations

# Doubling would do for most losses. A hundredfold leaves those in peace that start near zero, that
# a generator shares with its critic, or whose meaning nobody knows.
_TIMES_ITS_START = 100.0


def has_run_away(start: float, level: float) -> bool:
    """Whether a loss stands so far above where it began that no training is like that."""
    return start > 0 and level >= _TIMES_ITS_START * start
