"""Parameters that the optimizer holds and that never change.

Decided by exact zeros at every snapshot: there is no threshold. Parameters that do not require a
gradient are most likely meant to stay: that the optimizer holds some is a note.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np

from autotrack.findings._finding import Evidence, Finding
from autotrack.findings._layers import first_and_last, listed, trainable
from autotrack.findings._record import streams, tag

if TYPE_CHECKING:
    from collections.abc import Iterator

    from autotrack.findings._finding import Severity
    from autotrack.history import History
    from autotrack.series import VectorSeries

# Snapshots at which nothing moved: at the first, a warm-up may stand at zero.
FEWEST = 3
# With half of the parameters frozen, it is no single forgotten branch.
MOST = 0.5


def find(history: History) -> Iterator[Finding]:
    """Find parameters without gradient, and parameters that no update moved."""
    meant, moved = trainable(history), _with_gradient(history)
    for stream in streams(history):
        norms = history.vectors.get(tag("autotrack/gradient_norm", stream))
        ratios = history.vectors.get(tag("autotrack/update_ratio", stream))
        if norms is None or ratios is None or min(len(norms), len(ratios)) < FEWEST:
            continue
        if not np.nansum(ratios.value) > 0:
            # Nothing moves at all: that is told elsewhere.
            continue
        without = [
            name for name in _never(norms) if name not in moved and _gets_none(norms, name, meant)
        ]
        cancelled = [name for name in without if _cancels(norms, name)]
        without = [name for name in without if name not in cancelled]
        still = [
            name
            for name in _never(ratios)
            if name not in without and name not in _never(norms) and meant.get(name, True)
        ]
        asleep = [name for name in _never(norms) if not meant.get(name, True)]
        if asleep:
            yield _asleep(stream, norms, asleep)
        if cancelled:
            yield _cancelled(stream, norms, cancelled)
        for names, what in ((without, "gradient"), (still, "update")):
            if names:
                yield _finding(stream, norms if what == "gradient" else ratios, names, what)


def _never(series: VectorSeries) -> list[str]:
    """Return the parameters that are zero, or absent, at every snapshot."""
    nothing = (np.isnan(series.value) | (series.value == 0)).all(axis=0)
    known = nothing & (len(series) >= FEWEST)
    return [name for name, is_so in zip(series.names, known, strict=True) if is_so]


def _with_gradient(history: History) -> set[str]:
    """Return the parameters that got a gradient for any optimizer: several may hold them."""
    known = (history.vectors.get(tag("autotrack/gradient_norm", s)) for s in streams(history))
    return {
        norms.names[index]
        for norms in known
        if norms is not None
        for index in np.flatnonzero((norms.value > 0).any(axis=0))
    }


def _cancels(norms: VectorSeries, name: str) -> bool:
    """Whether a bias has a gradient of zero and the weight beside it has none of zero."""
    weight = name.removesuffix("bias") + "weight"
    if not name.endswith("bias") or weight not in norms.names:
        return False
    own, beside = (norms.value[:, norms.names.index(n)] for n in (name, weight))
    return bool((own == 0).all() and (beside > 0).all())


def _gets_none(norms: VectorSeries, name: str, meant: dict[str, bool]) -> bool:
    """Whether a parameter without gradient is meant to have one; it is not known without a table.

    A gradient of exactly zero at every snapshot says so itself.
    """
    if name in meant:
        return meant[name]
    return bool((norms.value[:, norms.names.index(name)] == 0).all())


def _finding(stream: str, series: VectorSeries, names: list[str], what: str) -> Finding:
    many = len(names) > MOST * len(series.names)
    number = "1 parameter" if len(names) == 1 else f"{len(names)} parameters"
    verb = "gets" if len(names) == 1 else "get"
    text = f"no {what} at any of {len(series)} snapshots: {listed(names)}"
    severity: Severity = "problem" if many and what == "gradient" else "warning"
    return Finding(
        "frozen-parameters",
        severity,
        f"{number} {verb} no {what}",
        "The optimizer holds these parameters, and nothing ever changes them: the loss does not "
        "depend on them, or their part of the graph is cut off."
        if what == "gradient"
        else "These parameters get gradients, and stay as they are: their learning rate is zero, "
        "or so small that single precision rounds the update away.",
        (
            "look for detach(), no_grad() or a branch of forward() that is never used",
            "if they are meant to stay, set requires_grad=False: that saves time",
        )
        if what == "gradient"
        else ("look at the learning rate of their parameter group",),
        (Evidence(series.tag, text, *first_and_last(series), None, float(len(names))),),
        stream,
    )


def _cancelled(stream: str, series: VectorSeries, names: list[str]) -> Finding:
    title = "1 bias gets no gradient" if len(names) == 1 else f"{len(names)} biases get no gradient"
    return _note(
        (stream, series, names),
        title,
        f"zero at each of {len(series)} snapshots, unlike their weights",
        "The layer is reached, as its weight shows. What a bias adds to all samples alike cancels "
        "where the loss goes by differences of scores, as a Wasserstein critic's does; or its "
        "gradient is set to zero.",
        "where it cancels, bias=False saves it",
    )


def _asleep(stream: str, series: VectorSeries, names: list[str]) -> Finding:
    number = "1 parameter is" if len(names) == 1 else f"{len(names)} parameters are"
    return _note(
        (stream, series, names),
        f"{number} frozen",
        "requires_grad is False",
        "The optimizer holds parameters that do not require a gradient: they stay as they are.",
        "if they are to learn, set requires_grad=True before the training",
    )


def _note(
    what: tuple[str, VectorSeries, list[str]], title: str, text: str, meaning: str, advice: str
) -> Finding:
    stream, series, names = what
    said = f"{text}: {listed(names)}"
    evidence = Evidence(series.tag, said, *first_and_last(series), None, float(len(names)))
    return Finding("frozen-parameters", "note", title, meaning, (advice,), (evidence,), stream)
