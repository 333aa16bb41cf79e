"""Findings as cards, each with the way to the place on a curve where it is seen."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np

from autotrack.reports.page.panels import Flag

if TYPE_CHECKING:
    from autotrack.findings import Evidence, Finding
    from autotrack.reports.page.panels import Panel
    from autotrack.reports.page.scale import RunScale

WORDS = {"problem": "Problem", "warning": "Warning", "note": "Note"}

# Where evidence lies that is no scalar of its own, by the beginning of its tag.
_PLACES = (
    ("autotrack/update_ratio", "by-layer"),
    ("autotrack/gradient_norm", "by-layer"),
    ("autotrack/zero_gradient_rows", "by-layer"),
    ("autotrack/confusion", "confusion"),
    ("Weights/", "distributions"),
    ("Gradients/", "distributions"),
)


@dataclass(frozen=True)
class Proof:
    """One piece of evidence: what is seen, and the part of the page that shows it ("" for none).

    `low` and `high` are the stretch of the chart to look at, as shares of its axis.
    """

    text: str
    target: str = ""
    where: str = ""
    low: float | None = None
    high: float | None = None


@dataclass(frozen=True)
class Card:
    """A finding with its number on the page."""

    number: int
    finding: Finding
    word: str
    proofs: list[Proof]


@dataclass(frozen=True)
class Places:
    """Where evidence can be shown: charts, and the other `sections` that the page has."""

    panels: list[Panel]
    run: RunScale
    sections: set[str]


def cards(findings: list[Finding], places: Places) -> list[Card]:
    """Make a card of each finding, and flag the charts that its evidence points to."""
    return [
        Card(
            number,
            finding,
            WORDS.get(finding.severity, "Note"),
            [_proof(evidence, finding, number, places) for evidence in finding.evidence],
        )
        for number, finding in enumerate(findings, 1)
    ]


def _proof(evidence: Evidence, finding: Finding, number: int, places: Places) -> Proof:
    panel = next((p for p in places.panels if p.chart.holds(evidence.tag)), None)
    if panel is None:
        start = (target for prefix, target in _PLACES if evidence.tag.startswith(prefix))
        target = next(start, "")
        return Proof(evidence.text, target if target in places.sections else "")
    low, high = _stretch(evidence, finding, places.run)
    if low is not None and high is not None:
        flag = Flag(number, finding.severity, low, high - low, finding.title)
        if all((flag.finding, flag.place) != (f.finding, f.place) for f in panel.flags):
            panel.flags.append(flag)
    return Proof(evidence.text, panel.chart.key, panel.chart.title, low, high)


def _stretch(
    evidence: Evidence, finding: Finding, run: RunScale
) -> tuple[float | None, float | None]:
    if evidence.first_step is None:
        return None, None
    last = evidence.first_step if evidence.last_step is None else evidence.last_step
    steps = np.array([evidence.first_step, max(last, evidence.first_step)], np.int64)
    epochs = run.axis.epochs
    if run.axis.by_epoch and epochs is not None:
        positions = np.interp(steps, epochs.starts, epochs.numbers)
    else:
        positions = run.axis.of_steps(steps, finding.stream)
    low, high = np.clip(run.share(positions), 0.0, 1.0).tolist()
    return low, high
