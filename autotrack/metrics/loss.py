"""The loss: of every step, of its components, and of training and evaluation passes."""

from __future__ import annotations

import math
import operator
from dataclasses import dataclass, field
from functools import partial, reduce
from itertools import chain
from typing import TYPE_CHECKING, Any, ClassVar

from autotrack.events import (
    CriterionCall,
    EvaluationBatchSeen,
    EvaluationPassEnded,
    PassDiscarded,
    StepTaken,
    TrainBatch,
    TrainBatchSeen,
    TrainPassEnded,
)
from autotrack.keeper import Keeper, Steps
from autotrack.metrics._metric import Metric, Surroundings
from autotrack.pending import Derived, Pending, Total, when_known

if TYPE_CHECKING:
    from collections.abc import Iterable

    from autotrack.row import Value


@dataclass(slots=True, eq=False, repr=False)
class Mean:
    """A mean over samples that grows batch by batch; unknown once a batch cannot be weighed."""

    total: Total[float] = field(default_factory=partial(Total, 0.0))
    weight: Total[float] = field(default_factory=partial(Total, 0.0))
    batches: int = 0
    sized: bool | None = None
    known: bool = True

    def add(
        self, value: Value | None, size: int | None, reduction: str, counted: Value | None = None
    ) -> None:
        """Add a batch: its mean times its size, or its sum over as many as were `counted`."""
        if self.sized is None:
            self.sized = size is not None
        if value is None or reduction == "mixed" or self.sized != (size is not None):
            self.known = False
            return
        weight = size if size is not None else 1
        self.total.add(value if reduction == "sum" and size is not None else value * weight)
        self.weight.add(weight if counted is None else counted)
        self.batches += 1

    def add_all(self, values: Any, size: int | None, reduction: str, number: int) -> None:
        """Add so many batches of `size` samples each: a list of their means or sums.

        It may be on its way.
        """
        sized = size is not None
        if self.batches and self.sized is not sized:
            self.known = False
            return
        self.sized, weight = sized, size if size is not None else 1
        if reduction == "sum":
            self.total.add_all(values)
        else:
            self.total.add_all(when_known(partial(_weighted, weight), values))
        self.weight.add(weight * number)
        self.batches += number

    def add_to(self, value: Value | None, weight: int | None, reduction: str) -> None:
        """Add a further loss of samples that are counted already."""
        if value is None or reduction == "mixed":
            self.known = False
            return
        self.total.add(value if reduction == "sum" else value * (weight or 1))

    def take_back(
        self, value: Value | None, size: int | None, reduction: str, counted: Value | None = None
    ) -> None:
        """Undo one `add`."""
        if value is not None:
            self.add_to(-value, size, reduction)
            weight = size if size is not None else 1
            self.weight.add(-weight if counted is None else -counted)
            self.batches -= 1

    @property
    def value(self) -> Value | None:
        """The mean so far, or None where it is not known."""
        if not self.known or not self.batches:
            return None
        weight: Value = self.weight.value
        # An empty sum has no mean; one that only a device has counted shows that on arrival.
        mean: Value | None = self.total.value / weight if weight else None
        return mean


@dataclass(eq=False, repr=False)
class _Names:
    """Component names: the function's, and `_2`, `_3` for its further call sites."""

    given: dict[tuple[str, int], str] = field(default_factory=dict)
    sites: dict[int, Any] = field(default_factory=dict)

    def of(self, part: CriterionCall, beside: Iterable[CriterionCall]) -> str:
        """Return the name of a part; `beside` are the parts of the same step, or pass."""
        key = (part.function, id(part.site))
        if key not in self.given:
            self.sites[key[1]] = part.site
            self.given[key] = self._same_line(part, beside) or self._next(part.function)
        return self.given[key]

    def _same_line(self, part: CriterionCall, beside: Iterable[CriterionCall]) -> str | None:
        """Return what the same line is called where another way leads to it: another training."""
        taken = {self.given.get((other.function, id(other.site))) for other in beside}
        for (function, site), name in self.given.items():
            line = self.sites[site].lines[:1]
            if function == part.function and line == part.site.lines[:1] and name not in taken:
                return name
        return None

    def _next(self, function: str) -> str:
        names = {name for (known, _), name in self.given.items() if known == function}
        return f"{function}_{len(names) + 1}" if names else function


class Loss(Metric):
    """`Loss/train` per step, `Loss/train/<component>`, `Loss/train_epoch` and `Loss/<phase>`."""

    listens: ClassVar[dict[type, str]] = {
        StepTaken: "step_taken",
        TrainBatchSeen: "batch_seen",
        TrainPassEnded: "train_pass_ended",
        EvaluationBatchSeen: "evaluation_batch_seen",
        EvaluationPassEnded: "evaluation_pass_ended",
        PassDiscarded: "pass_discarded",
    }

    def __init__(self, surroundings: Surroundings) -> None:
        super().__init__(surroundings)
        self._running: dict[Any, Mean] = {}
        self._evaluations: dict[Any, dict[tuple[str, int], tuple[CriterionCall, Mean]]] = {}
        self._names: dict[Any, _Names] = {}

    def settle(self, pattern: Any) -> Keeper:
        """Keep the losses as they come: each is that of its step, and of so many samples."""
        return _Losses(self, pattern)

    def running(self, stream: Any) -> Mean:
        """Return the mean of the stream's running pass."""
        return self._running.setdefault(stream, Mean())

    def checked_all(self, first: int, values: list[float]) -> list[float]:
        """Return the losses of steps from `first` on; the first that is not finite is noted."""
        if not math.isfinite(sum(values)):
            for index, value in enumerate(values):
                self._checked(value, first + index)
        return values

    def step_taken(self, moment: StepTaken) -> None:
        """Add the loss of the step, and its components where several criteria fed it."""
        value = moment.batches[0].freed if len(moment.batches) == 1 else _of_groups(moment.groups)
        if value is not None:
            if type(value) is not float or not math.isfinite(value):
                value = self._checked(value, moment.step)
            moment.row.add("Loss/train", value)
        several = len(moment.groups) > 1
        for batch in moment.batches:
            several = several or len(batch.parts) > 1
        if several:
            self._components(moment)
        self._account(moment)

    def _checked(self, value: Value, step: int) -> Value:
        """Return the loss; once known, the first that is not finite is noted."""
        if isinstance(value, Pending):
            return Derived(partial(self._checked, step=step), value)
        if not math.isfinite(value):
            self.surroundings.nonfinite.setdefault(
                "Loss/train", {"step": step, "value": str(value)}
            )
        return value

    def components(self, stream: Any, parts: list[Any]) -> dict[str, list[int]]:
        """Return by name the places of the criterion calls that each component of a step is of.

        There is no component where all calls are of one.
        """
        if len({(part.function, id(part.site)) for part in parts}) < 2:  # noqa: PLR2004
            return {}
        names = self._names.setdefault(stream, _Names())
        found: dict[str, list[int]] = {}
        for place, part in enumerate(parts):
            found.setdefault(names.of(part, parts), []).append(place)
        return found

    def _components(self, moment: StepTaken) -> None:
        parts = [part for batch in moment.batches for part in batch.parts]
        for name, places in self.components(moment.stream, parts).items():
            # The mean of several calls, as in evaluation: there nothing parts those of a batch.
            if (total := _sum([parts[place].value for place in places])) is not None:
                moment.row.add(f"Loss/train/{name}", total / len(places))

    def _account(self, moment: StepTaken) -> None:
        """Let the step's added losses join the mean of the pass.

        The first group brings the samples. Another group's loss comes on top of it for these very
        samples; where it was counted as samples of its own before its site was known to add, that
        is taken back.
        """
        key = id(moment.stream)
        running = self.running(moment.stream)
        for batch in moment.groups[0] if moment.groups else ():
            self._count(running, batch, key)
        for group in moment.groups[1:]:
            for batch in group:
                self._take_back(batch, key)
            sizes = [batch.size for batch in moment.groups[0]]
            running.add_to(_of_group(group), _samples(sizes), group[0].reduction)

    def _count(self, running: Mean, batch: TrainBatch, key: int) -> None:
        """Count a batch once; again where its step has shown a better value since."""
        value = batch.freed if batch.reduction != "sum" else _for_mean(batch)
        counted = batch.counted_by.get(key)
        if counted is not None:
            mean, before, *_, reduction = counted
            same = reduction == batch.reduction and (before is value or before == value)
            if mean is not running or same:
                return
            self._take_back(batch, key)
        batch.counted_by[key] = (running, value, batch.size, batch.weight, batch.reduction)
        running.add(value, batch.size, batch.reduction, batch.weight)

    @staticmethod
    def _take_back(batch: TrainBatch, key: int) -> None:
        counted = batch.counted_by.pop(key, None)
        if counted is not None:
            running, value, size, weight, reduction = counted
            running.take_back(value, size, reduction, weight)

    def batch_seen(self, moment: TrainBatchSeen) -> None:
        """Add a batch to its stream's running mean, unless it adds to another of its step."""
        if not moment.adds:
            self._count(self.running(moment.stream), moment.batch, id(moment.stream))

    def train_pass_ended(self, moment: TrainPassEnded) -> None:
        """Add the mean over the samples of the pass."""
        mean = self._running.pop(moment.stream, None)
        if mean is not None and (value := mean.value) is not None:
            moment.row.add("Loss/train_epoch", value)

    def evaluation_batch_seen(self, moment: EvaluationBatchSeen) -> None:
        """Add a criterion call to its evaluation pass."""
        call = moment.call
        sums = self._evaluations.setdefault(moment.evaluation, {})
        key = (call.function, id(call.site))
        if key not in sums:
            sums[key] = (call, Mean())
        sums[key][1].add(call.value, call.size, call.reduction, call.weight)

    def evaluation_pass_ended(self, moment: EvaluationPassEnded) -> None:
        """Add the mean of the pass: as the loss where it is the objective, else by name."""
        sums = self._evaluations.pop(moment.evaluation, {})
        whole = [key for key in sums if key[0] == moment.objective]
        names, calls = _Names(), [call for call, _ in sums.values()]
        for key, (call, mean) in sums.items():
            value = mean.value
            if value is None:
                continue
            prefix = f"Loss/{moment.phase}{moment.suffix}"
            alone = len(whole) == 1 and key == whole[0]
            moment.row.add(prefix if alone else f"{prefix}/{names.of(call, calls)}", value)

    def pass_discarded(self, moment: PassDiscarded) -> None:
        """Forget a pass that was none."""
        self._evaluations.pop(moment.evaluation, None)


class _Losses(Keeper):
    """One loss a backward call, each the mean over as many samples."""

    def __init__(self, metric: Loss, pattern: Any) -> None:
        self._metric, self._pattern = metric, pattern
        self._stream, self._size = pattern.stream, pattern.size
        self._reduction = pattern.kind.reduction
        self._components = metric.components(pattern.stream, pattern.calls)

    def fold(self, steps: Steps) -> None:
        """Write them, and add them to the mean of the running pass."""
        losses, backwards = steps.losses, self._pattern.backwards
        if self._pattern.factor != 1:
            losses = when_known(partial(_weighted, self._pattern.factor), losses)
        means = losses
        if backwards > 1:
            means = when_known(partial(_each_step, self._size or 1, backwards), losses)
        checked = when_known(partial(self._metric.checked_all, steps.block.x), means)
        steps.block.columns.append(("Loss/train", checked))
        for name, calls in self._components.items():
            values = (steps.calls[call] for call in calls)
            column = when_known(partial(_each_component, backwards), *values)
            steps.block.columns.append((f"Loss/train/{name}", column))
        count = len(steps.ends) * backwards
        if steps.passes is not None:
            means = when_known(partial(_each_mean, self._size or 1, self._reduction), losses)
            steps.passes.columns.append(("Loss/train_epoch", means))
            losses, count = when_known(_last, losses), 1
        self._metric.running(self._stream).add_all(losses, self._size, self._reduction, count)


def _weighted(weight: float, values: list[float]) -> list[float]:
    return [value * weight for value in values]


def _each_step(size: int, backwards: int, values: list[float]) -> list[float]:
    """Return the mean of so many losses a step, in the order in which `Mean` adds them."""
    weighted, weight = _weighted(size, values), size * backwards
    firsts = range(0, len(weighted), backwards)
    return [_total(weighted[first : first + backwards]) / weight for first in firsts]


def _each_component(backwards: int, *calls: list[float]) -> list[float]:
    """Return the mean of what one place has computed for each step, in the order it was."""
    values = list(chain.from_iterable(zip(*calls, strict=True)))
    number = backwards * len(calls)
    firsts = range(0, len(values), number)
    return [_total(values[first : first + number]) / number for first in firsts]


def _total(values: list[float]) -> float:
    # Not `sum`, which rounds otherwise from Python 3.12 on.
    return reduce(operator.add, values, 0.0)


def _each_mean(size: int, reduction: str, values: list[float]) -> list[float]:
    """Return the means of passes of one batch each, all but the last, whose pass goes on."""
    weight = 1 if reduction == "sum" else size
    return [value * weight / size for value in values[:-1]]


def _last(values: list[float]) -> list[float]:
    return values[-1:]


def _of_groups(groups: list[list[TrainBatch]]) -> Value | None:
    """Return the loss of a step fed by several backward calls.

    The calls of a group are micro-batches of one batch: their mean, weighted by size (their sum,
    where the criterion sums). Groups are parts of one objective: the sum of theirs.
    """
    return _sum([_of_group(group) for group in groups]) if groups else None


def _for_mean(batch: TrainBatch) -> Value | None:
    """Return what a batch brings to a mean: of a summed criterion the undivided sum.

    None where it was divided by a number of which nothing says what it counts.
    """
    if batch.reduction == "sum" and batch.whole and batch.divisor != 1 and batch.value is not None:
        if batch.ragged:
            return batch.value * batch.divisor
        return None if batch.freed is batch.value else batch.freed
    return batch.freed


def _samples(sizes: list[int | None]) -> int | None:
    return None if any(size is None for size in sizes) else sum(sizes)  # type: ignore[arg-type]


def _of_group(group: list[TrainBatch]) -> Value | None:
    if len(group) == 1:
        return group[0].freed
    if all(b.reduction == "sum" and b.whole for b in group):
        return _sum([b.freed for b in group])
    mean = Mean()
    sized = all(b.size is not None for b in group)
    for batch in group:
        mean.add(batch.freed, batch.size if sized else None, "mean")
    return mean.value


def _sum(values: list[Value | None]) -> Value | None:
    total: Value = 0.0
    for value in values:
        if value is None:
            return None
        total = total + value
    return total
