"""Which rules there are, and what all of them find in a run."""

from __future__ import annotations

import importlib
import pkgutil
from dataclasses import dataclass, replace
from importlib.metadata import entry_points
from pathlib import Path
from typing import TYPE_CHECKING, Any

from autotrack.errors import UsageError
from autotrack.findings._finding import SEVERITIES, Finding, rank
from autotrack.findings._last import last_training
from autotrack.guard import Guard

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Iterator

    from autotrack.history import History


@dataclass(frozen=True)
class Rule:
    """A rule by its identifier: its function, and the rules whose findings it explains."""

    name: str
    find: Callable[[History], Iterable[Finding]]
    explains: frozenset[str] = frozenset()


def rules(also: Iterable[str] = ()) -> list[Rule]:
    """Return all rules: the public modules of this folder, then those from outside.

    From outside come the entry points of the group `autotrack.findings` and what `also` names as
    `"package.module:function"`; either may be a function or a module with `find`. Raises UsageError
    for a name in `also` that cannot be imported.
    """
    folder = str(Path(__file__).parent)
    own = sorted(m.name for m in pkgutil.iter_modules([folder]) if not m.name.startswith("_"))
    package = __name__.rpartition(".")[0]
    found = [_rule(name, importlib.import_module(f"{package}.{name}")) for name in own]
    found += [_rule(point.name, point.load()) for point in entry_points(group="autotrack.findings")]
    return found + [_rule(name.rpartition(":")[2], _imported(name)) for name in also]


def find(history: History, also: Iterable[str] = (), *, strict: bool = False) -> list[Finding]:
    """Return what the rules find in a run, the worst first; of several trainings, in the last.

    A finding that another explains is left out, and the other is then as severe. A rule that raises
    is left out and reported once, unless `strict`.
    """
    guard = Guard(strict=strict)
    everything, last = rules(also), last_training(history)
    found = [
        finding
        for rule in everything
        for finding in guard.call(f"finding {rule.name}", _findings, rule, last) or ()
    ]
    explains = {rule.name: rule.explains for rule in everything}
    return sorted(_causes(found, explains), key=rank)


def _findings(rule: Rule, history: History) -> list[Finding]:
    return list(rule.find(history))


def _causes(found: list[Finding], explains: dict[str, frozenset[str]]) -> Iterator[Finding]:
    """Yield the findings that no other explains, each as severe as the worst that it explains."""
    for finding in found:
        if not any(_explains(other, finding, explains) for other in found):
            effects = [other for other in found if _explains(finding, other, explains)]
            severity = min((f.severity for f in (finding, *effects)), key=SEVERITIES.index)
            yield replace(finding, severity=severity)


def _explains(cause: Finding, effect: Finding, explains: dict[str, frozenset[str]]) -> bool:
    # A note is no fault, and so no cause of one.
    return (
        effect.rule in explains.get(cause.rule, ())
        and (cause.severity != "note" or effect.severity == "note")
        and (cause.stream == effect.stream or not cause.stream or not effect.stream)
    )


def _rule(name: str, thing: Any) -> Rule:
    function = thing if callable(thing) else thing.find
    explains = frozenset(getattr(thing, "EXPLAINS", ()))
    return Rule(name.replace("_", "-"), function, explains)


def _imported(name: str) -> Any:
    module, _, attribute = name.partition(":")
    try:
        imported = importlib.import_module(module)
        return getattr(imported, attribute) if attribute else imported
    except (ImportError, AttributeError) as error:
        msg = f"there is no rule {name!r}: {error}. Name it as 'package.module:function'."
        raise UsageError(msg) from error
