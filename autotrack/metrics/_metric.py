"""What a metric is: a class that says which moments it listens to."""

from __future__ import annotations

from dataclasses import dataclass, field
from fnmatch import fnmatchcase
from typing import TYPE_CHECKING, Any, ClassVar

from autotrack import events as e
from autotrack.keeper import Keeper
from autotrack.transfer import Transfer

if TYPE_CHECKING:
    from collections.abc import Callable
    from pathlib import Path

#: What is published at ordinary training steps.
MOMENTS_OF_A_STEP = frozenset(
    {
        e.BackwardAhead,
        e.BatchAwaited,
        e.CriterionSeen,
        e.GradientsBeforeClipping,
        e.GradientsReady,
        e.StepBegan,
        e.StepTaken,
        e.TrainBatchSeen,
    }
)


@dataclass(eq=False, repr=False)
class Surroundings:
    """What a metric may ask of its run: parameter names, patterns, a place for notes."""

    parameter_name: Callable[[Any], str | None]
    include: tuple[str, ...] = ("*",)
    exclude: tuple[str, ...] = ()
    #: Whether a parameter is a table of which each batch looks up some rows.
    is_embedding: Callable[[Any], bool] = field(default=lambda _: False)
    #: Brings numbers home from a device, without waiting for them.
    transfer: Transfer = field(default_factory=Transfer)
    #: Every how many-th step (`gradient_norm`) or snapshot (`snapshots`) the budget allows; 1 where
    #: nothing is said.
    intervals: dict[str, int] = field(default_factory=dict)
    #: First non-finite values by tag: the step, and for gradients the parameter.
    nonfinite: dict[str, dict[str, Any]] = field(default_factory=dict)
    #: Why something is absent, by tag.
    absent: dict[str, str] = field(default_factory=dict)
    #: In which mode the model was, by phase: how often in training mode, how often in
    #: `eval()`, and 1 where it was in training mode last.
    modes: dict[str, list[int]] = field(default_factory=dict)
    #: Streams whose gradients a metric wants to look at before the next backward (`BackwardAhead`).
    looked_at: set[Any] = field(default_factory=set)
    #: Where the run is recorded; None where and as long as it is not.
    directory: Callable[[], Path | None] = lambda: None
    #: The names of so many classes, where the data says them.
    class_names: Callable[[int], list[str] | None] = lambda _: None
    _written: dict[int, list[str]] = field(default_factory=dict)
    _wanted: dict[str, bool] = field(default_factory=dict)

    def wants(self, name: str) -> bool:
        """Whether the person's `include` and `exclude` patterns let a parameter in."""
        wanted = self._wanted.get(name)
        if wanted is None:
            wanted = self._wanted[name] = any(
                fnmatchcase(name, p) for p in self.include
            ) and not any(fnmatchcase(name, p) for p in self.exclude)
        return wanted

    def write_vector(self, row: Any, stream: Any, names: list[str], tag: str, values: Any) -> None:
        """Write one hidden value a parameter, and the parameters' names where they are new.

        `values` is a list or a tensor of shape [len(names)], or such a list on its way.
        """
        if self._written.get(id(stream)) != names:
            self._written[id(stream)] = names
            row.hidden.append(("autotrack/parameters", names))
        row.hidden.append((tag, values))

    def named(self, stream: Any) -> list[tuple[str, Any]]:
        """Return the wanted parameters of a stream with their names, each tensor once."""
        found: dict[int, tuple[str, Any]] = {}
        for index, parameter in enumerate(stream.parameters()):
            name = self.parameter_name(parameter) or f"{stream.name}.{index}".lstrip(".")
            if id(parameter) not in found and self.wants(name):
                found[id(parameter)] = (name, parameter)
        return list(found.values())


class Metric:
    """Listens to moments and adds values to their rows.

    `listens` maps a moment's class to the name of the method that takes it. A method that raises is
    called no more, and training goes on.
    """

    listens: ClassVar[dict[type, str]] = {}
    #: The budget may have it computed less often: at snapshots, or by `Surroundings.intervals`.
    optional: ClassVar[bool] = False

    def __init__(self, surroundings: Surroundings) -> None:
        self.surroundings = surroundings

    def settle(self, pattern: Any) -> Keeper | None:
        """Return what keeps this metric's numbers of steps that all go like `pattern`.

        None where the metric must see the moments of every step itself, as is the rule unless it
        listens to none of them. `pattern` is a `capture.pattern.Pattern`.
        """
        return None if MOMENTS_OF_A_STEP & self.listens.keys() else Keeper()


def alone(calls: dict[tuple[str, int], Any], objective: str | None) -> Any:
    """Return what was counted at a pass's one criterion call, or at the objective's; else None.

    `calls` has function and call site as its keys.
    """
    if len(calls) == 1:
        return next(iter(calls.values()))
    matching = [value for (function, _), value in calls.items() if function == objective]
    return matching[0] if len(matching) == 1 else None
