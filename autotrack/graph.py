"""Reads the graph of a loss just before `backward`: which criterion calls fed it, and how."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, Generic, Protocol, TypeVar

from autotrack.dtensors import is_spread

if TYPE_CHECKING:
    from collections.abc import Iterable

    from torch import Tensor

    from autotrack.events import CriterionCall

# Enough for a weighted sum of a few dozen terms; a model's own graph is not walked.
_MOST_NODES = 400
# Enough for the graph of any model.
_MOST_NODES_AT_ALL = 100_000
_SAME_VALUE = frozenset(
    {
        "CloneBackward0",
        "AliasBackward0",
        "ViewBackward0",
        "ReshapeAliasBackward0",
        "SqueezeBackward0",
        "SqueezeBackward1",
        "UnsqueezeBackward0",
        "ToCopyBackward0",
        "UnsafeViewBackward0",
    }
)
_MEANS = frozenset({"MeanBackward0", "MeanBackward1"})


class Part(Protocol):
    """What of a criterion call says how it feeds a loss."""

    @property
    def node(self) -> int | None:
        """The number of its node."""

    @property
    def divisor(self) -> float:
        """By what its result was divided to be its value."""


P = TypeVar("P", bound=Part)


@dataclass(slots=True, eq=False, repr=False)
class Reading(Generic[P]):
    """The criterion calls below a loss, in the order they were made.

    `divisor` is what the whole loss was divided by (1 when nothing shows); `exact` says that the
    loss is one call's value up to that divisor, so that the call stands for the objective;
    `reduced` is how the last reduction above the calls was made, `mean` or `sum`, where one shows.
    `start` is the node below that division, None where one call is all there is.
    """

    parts: list[P]
    divisor: float = 1.0
    exact: bool = False
    reduced: str = ""
    start: Any = None


def read(node: Any, calls: dict[int, P]) -> Reading[P]:
    """Return how `calls` (by the number of their node) feed the loss made by `node`."""
    divisor = 1.0
    call = _call_at(node, calls)
    while call is None and node is not None:
        factor = _constant_divisor(node)
        if factor is None:
            break
        divisor *= factor
        node = _only_input(node)
        call = _call_at(node, calls)
    if call is not None:
        return Reading([call], divisor / call.divisor, exact=True)
    if not calls or node is None:
        return Reading([], divisor)
    parts, only_averaged = _walk(node, calls)
    parts.sort(key=lambda part: part.node or 0)
    reduced = "mean" if node.name() in _MEANS else "sum" if node.name() == "SumBackward0" else ""
    exact = only_averaged and len(parts) == 1
    return Reading(parts, divisor, exact, reduced, node)


def _call_at(node: Any, calls: dict[int, P]) -> P | None:
    if node is None or not calls:
        return None
    return calls.get(node._sequence_nr())


def _constant_divisor(node: Any) -> float | None:
    """Return by how much a node divides its input: 1 for a node that keeps the value, else None."""
    name = node.name()
    if name in _SAME_VALUE:
        return 1.0
    if name == "DivBackward0":
        return _scalar(node, 1.0)
    if name == "MulBackward0":
        factor = _scalar(node, 0.0)
        return 1.0 / factor if factor else None
    return None


def _scalar(node: Any, otherwise: float) -> float | None:
    """Return the Python number that a node multiplies or divides by; None when it is a tensor."""
    other: Tensor | None = node._saved_other
    if other is None or other.dim() or other.requires_grad or other.device.type != "cpu":
        return None
    if is_spread(other):
        return None
    return float(other) or otherwise


def _only_input(node: Any) -> Any:
    inputs = [following for following, _ in node.next_functions if following is not None]
    return inputs[0] if len(inputs) == 1 else None


def _walk(start: Any, calls: dict[int, P]) -> tuple[list[P], bool]:
    """Find the calls below `start`; also whether only a mean stands between."""
    found: dict[int, P] = {}
    oldest = min(calls)
    waiting = [start]
    seen: set[int] = set()
    only_means = True
    while waiting and len(seen) < _MOST_NODES:
        node = waiting.pop(0)
        if node is None or not hasattr(node, "_sequence_nr"):
            continue
        number = node._sequence_nr()
        if number in seen:
            continue
        seen.add(number)
        if number in calls:
            found[number] = calls[number]
            if len(found) == len(calls) and (len(found) > 1 or not only_means):
                break
            continue
        if number < oldest:
            # Made before the first criterion call: nothing of it can lie below.
            continue
        only_means = only_means and (node.name() in _MEANS or _constant_divisor(node) == 1.0)
        waiting.extend(following for following, _ in node.next_functions)
    return list(found.values()), only_means and len(seen) > 0


def reached(starts: list[Any], numbers: set[int]) -> set[int]:
    """Return which of the nodes with these numbers lie below `starts`.

    All of them where the graph is too large to tell.
    """
    oldest, found = min(numbers), set()
    waiting, seen = list(starts), set()
    while waiting:
        node = waiting.pop()
        if node is None or not hasattr(node, "_sequence_nr"):
            continue
        number = node._sequence_nr()
        if number in seen or number < oldest:
            continue
        seen.add(number)
        if len(seen) > _MOST_NODES_AT_ALL:
            return numbers
        if number in numbers:
            found.add(number)
        waiting.extend(following for following, _ in node.next_functions)
    return found


def factor_of(reading: Reading[P], calls: dict[int, P]) -> float | None:
    """Return the number with which every part of a loss enters it besides other terms.

    The division by its `divisor` is left out. None where that is no plain number, or not the same
    for all parts.
    """
    start, parts = reading.start, reading.parts
    if start is None:
        return 1.0
    found: dict[int, list[float]] = {}
    waiting = [(start, 1.0)]
    while waiting and len(waiting) < _MOST_NODES:
        node, factor = waiting.pop()
        if node is None or not hasattr(node, "_sequence_nr"):
            continue
        number = node._sequence_nr()
        divisor = _constant_divisor(node)
        if number in calls:
            found.setdefault(number, []).append(factor)
        elif divisor is not None:
            waiting.append((_only_input(node), factor / divisor))
        elif node.name() == "AddBackward0" and node._saved_alpha == 1:
            waiting.extend((following, factor) for following, _ in node.next_functions)
    factors = [found.get(part.node or 0, []) for part in parts]
    same = factors and all(len(one) == 1 and one == factors[0] for one in factors)
    return factors[0][0] if same else None


#: What takes some of the numbers of a tensor and leaves the others.
_CHOOSE = frozenset(
    {
        "IndexBackward0",
        "IndexSelectBackward0",
        "MaskedSelectBackward0",
        "MaskedFillBackward0",
        "GatherBackward0",
        "WhereBackward0",
        "SliceBackward0",
        "SelectBackward0",
    }
)


def chosen(start: Any, calls: dict[int, CriterionCall]) -> list[CriterionCall]:
    """Return the calls of which not every number may count in the loss made by `start`.

    Numbers are taken by an index or a mask, or weighted by constants of which some are zero; on a
    device the constants are not asked for.
    """
    found: dict[int, CriterionCall] = {}
    waiting = [(start, False)]
    seen: set[tuple[int, bool]] = set()
    while waiting and len(seen) < _MOST_NODES:
        node, some = waiting.pop()
        if node is None or not hasattr(node, "_sequence_nr"):
            continue
        number = node._sequence_nr()
        if (number, some) in seen:
            continue
        seen.add((number, some))
        if number in calls:
            if some:
                found[number] = calls[number]
            continue
        some = some or node.name() in _CHOOSE or _is_masked(node)
        waiting.extend((following, some) for following, _ in node.next_functions)
    return list(found.values())


def _is_masked(node: Any) -> bool:
    if node.name() != "MulBackward0":
        return False
    for weights in (node._saved_other, node._saved_self):
        if weights is not None and weights.dim() and not weights.requires_grad:
            unknown = weights.device.type != "cpu" or is_spread(weights)
            return unknown or not bool(weights.all())
    return False


def leaves(tensors: Iterable[Any]) -> list[Tensor]:
    """Return the tensors whose gradients a backward of `tensors` accumulates into, each once."""
    found: list[Tensor] = []
    waiting, seen = [tensor.grad_fn for tensor in tensors], {id(None)}
    # Nodes are kept in `waiting`, so that the identities in `seen` stay theirs.
    position = 0
    while position < len(waiting):
        node = waiting[position]
        position += 1
        if id(node) in seen:
            continue
        seen.add(id(node))
        variable = getattr(node, "variable", None)
        if variable is not None:
            found.append(variable)
        waiting.extend(following for following, _ in node.next_functions)
    return found
