"""Whether the numbers of a step were seen: rates, norms, histograms, update ratios."""

from __future__ import annotations

from typing import TYPE_CHECKING, NamedTuple

from autotrack.coverage._lines import Line

if TYPE_CHECKING:
    from autotrack.coverage.account import Account


class _Value(NamedTuple):
    """A number of a step: its metric's class, its tag, how it is seen, why it may not be."""

    what: str
    metric: str
    tag: str
    how: str
    missing: str


def value_lines(account: Account) -> list[Line]:
    """Return the lines about rates, norms and snapshots."""
    return [_line(account, value) for value in _values(account)]


def _line(account: Account, value: _Value) -> Line:
    streams = account.training.streams
    if value.metric == "Histograms":
        tally = account.tallies.of(value.tag)
    else:
        tally = account.tallies.of_streams(streams, value.tag)
    absent = account.surroundings.absent
    known = absent.get(value.tag) or absent.get(value.tag.partition("/")[0])
    why = account.off(value.metric) or _why_no_step(account) or known or value.missing
    return Line(value.what, tally.count, value.how, why, tally.first)


def _why_no_step(account: Account) -> str:
    return "" if any(s.steps for s in account.training.streams) else "no step was seen"


def _values(account: Account) -> list[_Value]:
    by_hand = account.training.by_hand.ever
    no_rate = "no optimizer" if by_hand else "the optimizer's groups have no lr"
    no_clip = "gradients were not clipped by clip_grad_norm_ or clip_grad_value_"
    if by_hand:
        no_clip += ", or after the backward, which is where a step without an optimizer ends"
    no_snapshot = "" if account.snapshots else "histograms=0 switches snapshots off"
    no_ratio = no_snapshot or (
        "weights are changed by hand after the backward, where nothing is called that could be "
        "watched"
        if by_hand
        else "no weight had a size, or include= and exclude= leave no parameter"
    )
    steps, snapshots = account.at("gradient_norm", "step"), account.at("snapshots", "snapshot")
    no_histogram = no_snapshot or "no parameter of real numbers that include= and exclude= let in"
    return [
        _Value(
            "learning rate",
            "LearningRate",
            "LearningRate/group0",
            "the optimizer's groups at each step",
            no_rate,
        ),
        _Value(
            "gradient norm",
            "GradientNorm",
            "GradNorm/total",
            "all gradients before clipping" + steps,
            "no parameter had a gradient at a step",
        ),
        _Value(
            "clipped norm",
            "GradientNorm",
            "GradNorm/clipped",
            "gradients after clipping" + steps,
            no_clip,
        ),
        _Value(
            "histograms",
            "Histograms",
            "Weights",
            "weights and gradients at snapshots" + snapshots,
            no_histogram,
        ),
        _Value(
            "update ratio",
            "UpdateRatio",
            "UpdateRatio/total",
            "weights around a step, at snapshots" + snapshots,
            no_ratio,
        ),
    ]
