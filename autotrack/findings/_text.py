"""Findings as data and as Markdown."""

from __future__ import annotations

from dataclasses import asdict
from typing import TYPE_CHECKING, Any

from autotrack.jsontext import plain

if TYPE_CHECKING:
    from collections.abc import Sequence

    from autotrack.findings._finding import Finding

_NOTHING = "Nothing stands out."


def as_json(findings: Sequence[Finding]) -> list[dict[str, Any]]:
    """Return findings as plain dictionaries, their evidence included, in the same order.

    Numbers that are not finite become text, as JSON has none.
    """
    return [plain({**asdict(finding), "page": finding.page}) for finding in findings]


def as_markdown(findings: Sequence[Finding], verdict: str = "") -> str:
    """Return findings as Markdown: `verdict`, then a section each."""
    parts = [_text(verdict)] if verdict else []
    parts += [_section(finding) for finding in findings]
    return "\n\n".join(parts if findings else [*parts, _NOTHING])


def _section(finding: Finding) -> str:
    lines = [f"### {finding.severity}: {_text(finding.title)}", "", _text(finding.meaning), ""]
    lines += [f"- {_text(evidence.text)}" for evidence in finding.evidence]
    if finding.advice:
        lines += ["", "What to try:", "", *(f"- {_text(advice)}" for advice in finding.advice)]
    return "\n".join(lines)


def _text(text: str) -> str:
    """A person's own names stay text: nothing in them is markup."""
    escaped = text.replace("&", "&amp;").replace("<", "&lt;").replace("|", "\\|")
    for sign in "*_`[":
        escaped = escaped.replace(sign, f"\\{sign}")
    return " ".join(escaped.split())
