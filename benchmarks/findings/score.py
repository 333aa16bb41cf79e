"""Rules against records: what is found in the faulty twins, what is said of the healthy runs."""

from __future__ import annotations

from collections import Counter
from dataclasses import dataclass, field
from typing import TYPE_CHECKING

from autotrack.findings import Finding, find
from benchmarks.findings.faults import FAULTS, Fault
from benchmarks.findings.healthy import HEALTHY
from benchmarks.findings.outcome import harm, strength
from benchmarks.findings.recording import record

if TYPE_CHECKING:
    from collections.abc import Iterator

    from benchmarks.findings.outcome import Strength

#: By seed. Thresholds are chosen on open runs; seen ones were held out until their misses were
#: looked at.
SPLITS = ("open", "seen", "seen", "held out")
STRENGTHS = ("weak", "medium", "strong")


@dataclass(frozen=True)
class Judged:
    """What the rules said of a run; `fault` is None where nothing is wrong with it."""

    name: str
    split: str
    fault: Fault | None
    findings: list[Finding]
    harm: float = 0.0

    @property
    def strength(self) -> Strength:
        """How strong the fault came out: by its harm, whatever it was meant to be."""
        return strength(self.harm)

    @property
    def alarms(self) -> set[str]:
        """The rules that found something, notes included."""
        return {finding.rule for finding in self.findings}

    @property
    def found(self) -> bool:
        """Whether a right rule found the fault."""
        return self.fault is not None and not self.alarms.isdisjoint(self.fault.rules)


@dataclass
class RuleScore:
    """One line of the table: [found, all] by strength, and alarms on healthy runs by severity."""

    found: dict[str, list[int]] = field(default_factory=lambda: {s: [0, 0] for s in STRENGTHS})
    alarms: Counter[str] = field(default_factory=Counter)


def judge(*, anew: bool = False, wanted: str = "") -> Iterator[Judged]:
    """Read, or make, the record of every run whose name contains `wanted`, and apply the rules."""
    for recipe in HEALTHY:
        for seed in recipe.seeds:
            if wanted in recipe.name:
                history = record(recipe, seed, anew=anew)
                yield Judged(f"{recipe.name}.{seed}", SPLITS[seed], None, find(history))
    for fault in FAULTS:
        for number in range(len(SPLITS)):
            twin, base = fault.twin(number), fault.base(number)
            if wanted in twin.name:
                history, sound = record(twin, number, anew=anew), record(base, number)
                done = harm(history, sound, waits="input-bound" in fault.rules)
                yield Judged(f"{twin.name}.{number}", SPLITS[number], fault, find(history), done)


def by_rule(runs: list[Judged], split: str) -> dict[str, RuleScore]:
    """Count for each rule what it found of its own faults, and its alarms on healthy runs."""
    scores: dict[str, RuleScore] = {}
    for run in runs:
        if run.split != split:
            continue
        if run.fault is not None:
            counts = scores.setdefault(run.fault.rules[0], RuleScore()).found[run.strength]
            counts[0] += run.found
            counts[1] += 1
            continue
        for rule, severity in {(finding.rule, finding.severity) for finding in run.findings}:
            scores.setdefault(rule, RuleScore()).alarms[severity] += 1
    return dict(sorted(scores.items()))


def table(runs: list[Judged], split: str) -> str:
    """Write the scores of a split as a table in Markdown."""
    lines = [
        "| rule | weak | medium | strong | problem | warning | note |",
        "|---|---|---|---|---|---|---|",
    ]
    whole = RuleScore()
    for rule, score in by_rule(runs, split).items():
        lines.append(f"| {rule} | {_numbers(score)} |")
        whole.alarms.update(score.alarms)
        for word, (found, number) in score.found.items():
            whole.found[word][0] += found
            whole.found[word][1] += number
    lines.append(f"| **all** | {_numbers(whole)} |")
    return "\n".join(lines)


def _numbers(score: RuleScore) -> str:
    found = [f"{part} of {all_}" if all_ else "" for part, all_ in score.found.values()]
    alarms = [str(score.alarms[kind] or "") for kind in ("problem", "warning", "note")]
    return " | ".join([*found, *alarms])


def summary(runs: list[Judged], split: str) -> str:
    """Count what was found of the strong faults, strictly and less so, as a table in Markdown."""
    faulty = [run for run in runs if run.split == split and run.fault is not None]
    kinds = {
        "strong by harm": [run for run in faulty if run.strength == "strong"],
        "meant to be strong": [
            run for run in faulty if run.fault and run.fault.strength == "strong"
        ],
    }
    lines = [f"| counted as found | {' | '.join(kinds)} |", "|---|---|---|"]
    for what, first, loud in (
        ("any right rule, notes too", False, False),
        ("any right rule, problems and warnings only", False, True),
        ("the first rule only, notes too", True, False),
        ("the first rule only, problems and warnings only", True, True),
    ):
        found = [
            (sum(_is_found(run, first=first, loud=loud) for run in some), len(some))
            for some in kinds.values()
        ]
        shares = [f"{part} of {all_} ({100 * part / max(all_, 1):.0f} %)" for part, all_ in found]
        lines.append(f"| {what} | {' | '.join(shares)} |")
    return "\n".join(lines)


def _is_found(run: Judged, *, first: bool, loud: bool) -> bool:
    right = run.fault.rules[:1] if first and run.fault else run.fault.rules if run.fault else ()
    said = {finding.rule for finding in run.findings if not loud or finding.severity != "note"}
    return not said.isdisjoint(right)


def details(runs: list[Judged], split: str) -> Iterator[str]:
    """Say which faults were missed and which healthy runs got a problem or a warning."""
    for run in runs:
        if run.split != split:
            continue
        said = ", ".join(f"{f.rule} ({f.severity}: {f.title})" for f in run.findings)
        if run.fault is not None and not run.found:
            came_to = f"{run.strength} (harm {run.harm:.2f}, meant {run.fault.strength})"
            yield f"missed, {came_to}: {run.name} [{run.fault.rules[0]}]: {said or '-'}"
        loud = [finding for finding in run.findings if finding.severity != "note"]
        if run.fault is None and loud:
            yield f"healthy, yet: {run.name}: " + ", ".join(
                f"{f.rule} ({f.severity}: {f.title})" for f in loud
            )
