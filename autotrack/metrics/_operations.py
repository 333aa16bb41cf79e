"""Reads the operations of a loss from autograd's graph, as plain names and numbers."""

from __future__ import annotations

import re
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any
from weakref import ref

if TYPE_CHECKING:
    from collections.abc import Iterable

_SUFFIX = re.compile(r"Backward\d*$")
_LEAF = "AccumulateGrad"


@dataclass(slots=True, eq=False, repr=False)
class Leaf:
    """A tensor that gradients end at, mostly a parameter; who knows its `name` fills it in."""

    tensor: ref[Any]
    shape: tuple[int, ...]
    name: str | None = None


@dataclass(slots=True, eq=False, repr=False)
class Operation:
    """One operation of the forward pass.

    `inputs` are positions in the list of all operations, leaves, or None for a tensor that needs no
    gradient.
    """

    name: str
    inputs: list[int | Leaf | None]
    shape: tuple[int, ...] | None


def read(starts: Iterable[Any], most: int) -> list[Operation] | None:
    """Return the operations below the nodes `starts` in the order in which they ran.

    None where there are more than `most`. Nothing of the graph is kept, and no saved tensor is
    asked for: with activation checkpointing that would compute something again.
    """
    nodes = _inputs_first(starts, most)
    if nodes is None:
        return None
    if all(hasattr(node, "_sequence_nr") for node in nodes):
        nodes.sort(key=lambda node: int(node._sequence_nr()))
    place = {id(node): index for index, node in enumerate(nodes)}
    leaves: dict[int, Leaf] = {}
    return [_operation(node, place, leaves) for node in nodes]


def _inputs_first(starts: Iterable[Any], most: int) -> list[Any] | None:
    """Return all nodes but leaves, depth first, without recursion."""
    done: list[Any] = []
    # Nodes stay in `kept`, so that their identities stay theirs.
    kept: dict[int, Any] = {}
    waiting = [(node, False) for node in starts if node is not None and not _is_leaf(node)]
    while waiting:
        node, is_ready = waiting.pop()
        if is_ready:
            done.append(node)
        elif id(node) not in kept:
            kept[id(node)] = node
            if len(kept) > most:
                return None
            waiting.append((node, True))
            below = [n for n, _ in node.next_functions if n is not None and not _is_leaf(n)]
            waiting.extend((n, False) for n in reversed(below))
    return done


def _is_leaf(node: Any) -> bool:
    return type(node).__name__ == _LEAF


def _operation(node: Any, place: dict[int, int], leaves: dict[int, Leaf]) -> Operation:
    inputs: list[int | Leaf | None] = []
    for below, _ in node.next_functions:
        if below is None:
            inputs.append(None)
        elif _is_leaf(below):
            variable = below.variable
            leaf = leaves.setdefault(id(variable), Leaf(ref(variable), tuple(variable.shape)))
            inputs.append(leaf)
        else:
            inputs.append(place[id(below)])
    name = _SUFFIX.sub("", node.name().rpartition("::")[2])
    return Operation(name or "Operation", inputs, _shape(node))


def _shape(node: Any) -> tuple[int, ...] | None:
    """Return the shape of a node's first output; None where PyTorch does not tell one."""
    try:
        return tuple(int(size) for size in node._input_metadata[0].shape)
    except (AttributeError, IndexError, RuntimeError, TypeError):
        return None
