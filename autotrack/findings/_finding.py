"""What a finding is: one sentence about a run, with the evidence that it rests on."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal

#: A note is a named event that is no fault: a sharp drop, the best epoch.
Severity = Literal["problem", "warning", "note"]

SEVERITIES: tuple[Severity, ...] = ("problem", "warning", "note")
LONGEST_TITLE = 60


@dataclass(frozen=True)
class Evidence:
    """Where a finding is seen: a series, the steps and the number, and that in words.

    Steps are as the series stands: completed steps for a pass, the index of a step else.
    """

    tag: str
    text: str
    first_step: int | None = None
    last_step: int | None = None
    epoch: int | None = None
    value: float | None = None


@dataclass(frozen=True)
class Finding:
    """What a rule says about a run.

    `rule` is stable: the name of the rule's module, with `-` for `_`. `title` has at most 60
    characters. `stream` names the optimizer that it is about ("" for the only one, or for none).
    `page` is the page of the documentation that explains the rule.
    """

    rule: str
    severity: Severity
    title: str
    meaning: str
    advice: tuple[str, ...]
    evidence: tuple[Evidence, ...]
    stream: str = ""

    @property
    def page(self) -> str:
        """Where the documentation explains the rule, from its root."""
        return f"findings/{self.rule}.html"

    @property
    def first_step(self) -> int | None:
        """The first step of all evidence."""
        steps = [e.first_step for e in self.evidence if e.first_step is not None]
        return min(steps, default=None)


def rank(finding: Finding) -> tuple[int, float, str, str]:
    """The place of a finding among others: the worst first, of equals what began first."""
    began = finding.first_step
    moment = float("inf") if began is None else float(began)
    return SEVERITIES.index(finding.severity), moment, finding.rule, finding.stream
