"""Colours of lines, for figures, the page and what is shown while a run goes on."""

from __future__ import annotations

#: Okabe and Ito's palette without yellow, which is too pale for a line on white paper.
ON_WHITE = ("#0072b2", "#d55e00", "#009e73", "#cc79a7", "#e69f00", "#56b4e9", "#222222")

#: The same where white and black papers are possible: the first is lighter, the last is left out.
ON_EITHER = ("#2684c8", *ON_WHITE[1:-1])
