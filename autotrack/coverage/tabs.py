"""Whether what TensorBoard's other tabs show was recorded: the graph, and what was asked for."""

from __future__ import annotations

from typing import TYPE_CHECKING

from autotrack.coverage._lines import Line

if TYPE_CHECKING:
    from autotrack.coverage.account import Account

# By metric, which is also the family of its tags: what it is called, and how it is made.
_TABS = {
    "Graph": ("model graph", "the operations below the first loss, as autograd keeps them"),
    "Images": ("images", "first inputs of each evaluation with predictions and labels"),
    "PrecisionRecall": ("precision and recall", "scores and labels of each evaluation, by class"),
    "Embeddings": ("embeddings", "what the last linear layer took in the last evaluation"),
}
_WHY_NO_LOSS = "no backward with a graph was followed by a step"
_WHY_NO_SCORES = "no evaluation showed its inputs, scores of classes and labels together"


def tab_lines(account: Account) -> list[Line]:
    """Return a line for the graph, and for each tab that the person asked for."""
    return [
        _line(account, metric)
        for metric in _TABS
        if metric == "Graph" or not account.off(metric) or metric in account.failed
    ]


def _line(account: Account, metric: str) -> Line:
    what, how = _TABS[metric]
    tally = account.tallies.of(metric)
    otherwise = _WHY_NO_LOSS if metric == "Graph" else _WHY_NO_SCORES
    why = account.off(metric) or account.surroundings.absent.get(metric) or otherwise
    return Line(what, tally.count, how, why, tally.first)
