"""Training and evaluation on one chart: the layout of TensorBoard's custom scalars tab."""

from __future__ import annotations

from typing import TYPE_CHECKING

from autotrack.block import Block

if TYPE_CHECKING:
    from collections.abc import Collection

    from autotrack.records import Record

_CATEGORY = "Training and evaluation"
# The same patterns in every run, so that TensorBoard merges the charts of several runs into one.
# What stands by step, not by epoch, and what was measured before training is left out.
_CHARTS = {
    "Loss": r"Loss/(?!train$|train/)(?!.*_initial$).+",
    "Accuracy": r"Accuracy/(?!.*_initial$).+",
    "R2": r"R2/(?!.*_initial$).+",
    "MAE": r"MAE/(?!.*_initial$).+",
}


class Layout:
    """Grows with the tags of a run; rewritten whenever another chart has something to show."""

    def __init__(self) -> None:
        self._seen = 0
        self._charts: list[str] = []

    def add(self, records: list[Record | Block], tags: Collection[str]) -> None:
        """Put the layout into the last of `records` where `tags` ask for another chart."""
        if len(tags) == self._seen:
            return
        charts = [chart for chart in _CHARTS if _is_evaluated(chart, tags)]
        if charts == self._charts:
            self._seen = len(tags)
            return
        patterns = {chart: [_CHARTS[chart]] for chart in charts}
        whole = [record for record in records if not isinstance(record, Block)]
        if whole:
            self._charts, self._seen = charts, len(tags)
            whole[-1].layout = {_CATEGORY: patterns}


def _is_evaluated(chart: str, tags: Collection[str]) -> bool:
    return any(
        tag.startswith(f"{chart}/")
        and not tag.startswith(f"{chart}/train")
        and not tag.endswith("_initial")
        for tag in tags
    )
