"""Figures of a run, drawn from its record: one file a question, and one overview.

Every module of this folder that has a function `draw(history) -> Figure | None` is a figure and is
saved under the module's name. Only Matplotlib's object interface is used: a person's pyplot state,
settings and backend stay as they are.
"""

from __future__ import annotations

from autotrack.reports.saving import Report, save, save_all

__all__ = ["Report", "save", "save_all"]
