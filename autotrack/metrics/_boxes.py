"""Puts operations into the boxes of TensorBoard's graph tab: one for each module."""

from __future__ import annotations

import re
from collections import Counter
from typing import TYPE_CHECKING

from autotrack.metrics._operations import Leaf
from autotrack.records import GraphNode

if TYPE_CHECKING:
    from collections.abc import Iterable

    from autotrack.metrics._operations import Operation

Path = tuple[str, ...]

# TensorFlow's rule for the names of nodes
_FORBIDDEN = re.compile(r"[^A-Za-z0-9_.\\-]")
# These only turn a parameter around for the operation that uses it.
_TURNS = frozenset(
    {"T", "Transpose", "Permute", "View", "UnsafeView", "Expand", "Squeeze", "Unsqueeze", "ToCopy"}
)
# What these take without a gradient is data, or made from data by parts that need no gradient.
_TAKES_DATA = frozenset(
    {"Addmm", "Mm", "Bmm", "Addbmm", "Linear", "MkldnnLinear", "Convolution", "CompiledFunction"}
    | {"NativeBatchNorm", "CudnnBatchNorm", "NativeLayerNorm", "NativeGroupNorm"}
)
_LOOKS_UP = frozenset({"Embedding", "EmbeddingBag"})


def draw(operations: list[Operation], top: Path = ()) -> list[GraphNode]:
    """Return the boxes of one loss below the path `top`: operations, parameters and data.

    An operation stands in the module whose parameters it uses; one that uses none in the innermost
    module that holds both the parameters used before and those used after it.
    """
    used = _parameters_used(operations)
    scopes = _scopes([_common(_module_of(leaf) for leaf in own) if own else None for own in used])
    names = _Names(top)
    titles = [
        names.operation(scope, operation.name)
        for scope, operation in zip(scopes, operations, strict=True)
    ]
    boxes: dict[str, GraphNode] = {}
    for index, operation in enumerate(operations):
        box = GraphNode(titles[index], operation.name, shape=operation.shape)
        for source in operation.inputs:
            if isinstance(source, Leaf):
                box.inputs.append(names.leaf(source))
                leaf = GraphNode(names.leaf(source), "Parameter", shape=source.shape)
                boxes.setdefault(leaf.name, leaf)
            elif source is not None:
                box.inputs.append(titles[source])
        if _takes_data(index, operations, used):
            box.inputs.append(names.data)
            boxes.setdefault(names.data, GraphNode(names.data, "Placeholder"))
        boxes[box.name] = box
    return list(boxes.values())


def _parameters_used(operations: list[Operation]) -> list[list[Leaf]]:
    """The parameters that each operation takes, also turned around."""
    used: list[list[Leaf]] = []
    for operation in operations:
        own = [source for source in operation.inputs if isinstance(source, Leaf)]
        for source in operation.inputs:
            if isinstance(source, int) and _is_turned(operations[source], used[source]):
                own += used[source]
        used.append(own)
    return used


def _is_turned(operation: Operation, used: list[Leaf]) -> bool:
    return operation.name in _TURNS and bool(used)


def _takes_data(index: int, operations: list[Operation], used: list[list[Leaf]]) -> bool:
    operation = operations[index]
    if operation.name in _LOOKS_UP:
        return True
    computed = any(
        isinstance(source, int) and not _is_turned(operations[source], used[source])
        for source in operation.inputs
    )
    return operation.name in _TAKES_DATA and None in operation.inputs and not computed


def _scopes(own: list[Path | None]) -> list[Path]:
    """The path of each operation; `own` is that of its parameters, None where it has none."""
    after: list[Path | None] = []
    following: Path | None = None
    for path in reversed(own):
        following = path if path is not None else following
        after.append(following)
    scopes: list[Path] = []
    before: Path | None = None
    for path, later in zip(own, reversed(after), strict=True):
        before = path if path is not None else before
        between = _common([before, later]) if before is not None and later is not None else ()
        scopes.append(path if path is not None else between)
    return scopes


def _common(paths: Iterable[Path]) -> Path:
    common: list[str] = []
    for parts in zip(*paths, strict=False):
        if len(set(parts)) > 1:
            break
        common.append(parts[0])
    return tuple(common)


def _module_of(leaf: Leaf) -> Path:
    return tuple((leaf.name or "").split(".")[:-1])


class _Names:
    """Names of boxes, each given once; below `top`."""

    def __init__(self, top: Path) -> None:
        self._top = top
        self._given: Counter[str] = Counter()
        self._leaves: dict[int, str] = {}
        self.data = self._joined(("input",))

    def operation(self, scope: Path, name: str) -> str:
        return self._new(self._joined((*scope, name)))

    def leaf(self, leaf: Leaf) -> str:
        if id(leaf) not in self._leaves:
            path = tuple(leaf.name.split(".")) if leaf.name else ("tensor",)
            self._leaves[id(leaf)] = self._new(self._joined(path))
        return self._leaves[id(leaf)]

    def _joined(self, path: Path) -> str:
        return "/".join(_FORBIDDEN.sub("_", part) or "_" for part in (*self._top, *path))

    def _new(self, name: str) -> str:
        self._given[name] += 1
        count = self._given[name]
        return name if count == 1 else f"{name}_{count - 1}"
