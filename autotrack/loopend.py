"""Where a loop over `range` ends, read from its source and the names around it, without running it.

Only whole numbers, names, attributes of plain objects, sums, differences and products are followed:
nothing of the person's is called.
"""

from __future__ import annotations

import ast
from typing import TYPE_CHECKING

from autotrack import frames
from autotrack.guard import attempt

if TYPE_CHECKING:
    from types import FrameType

_RANGES = frozenset({"range", "trange"})


def bounds(iterable: ast.expr) -> tuple[ast.expr, ...]:
    """Return the arguments of the `range` that a loop runs over, also inside one call around it.

    Such a call is a progress bar: `tqdm(range(10))`. Empty where the loop runs over anything else.
    """
    for _ in range(2):
        if not isinstance(iterable, ast.Call):
            return ()
        name = iterable.func.attr if isinstance(iterable.func, ast.Attribute) else ""
        name = iterable.func.id if isinstance(iterable.func, ast.Name) else name
        if name in _RANGES:
            return tuple(iterable.args)
        if not iterable.args or name in ("enumerate", "zip", "reversed", "islice"):
            return ()
        iterable = iterable.args[0]
    return ()


def last_number(arguments: tuple[ast.expr, ...], frame: FrameType) -> int | None:
    """Return the last number that `range(*arguments)` gives, as the names stand in `frame`.

    None where that cannot be told, or where the range is empty.
    """
    numbers = [_value(argument, frame) for argument in arguments]
    known = [number for number in numbers if number is not None]
    if not known or len(known) < len(numbers) or known[2:] == [0]:
        return None
    return next(reversed(range(*known)), None)


def _value(node: ast.expr, frame: FrameType) -> int | None:
    if isinstance(node, ast.Constant):
        return node.value if type(node.value) is int else None
    if isinstance(node, ast.BinOp):
        return _combined(node, frame)
    name = _dotted(node)
    value = _held(name, frame) if name else None
    return value if type(value) is int else None


def _combined(node: ast.BinOp, frame: FrameType) -> int | None:
    left, right = _value(node.left, frame), _value(node.right, frame)
    if left is None or right is None:
        return None
    if isinstance(node.op, ast.Add):
        return left + right
    if isinstance(node.op, ast.Sub):
        return left - right
    return left * right if isinstance(node.op, ast.Mult) else None


def _dotted(node: ast.expr) -> str:
    if isinstance(node, ast.Name):
        return node.id
    if isinstance(node, ast.Attribute):
        inner = _dotted(node.value)
        return f"{inner}.{node.attr}" if inner else ""
    return ""


def _held(name: str, frame: FrameType) -> object:
    """What a name holds in a frame, else in its module; attributes only of plain objects."""
    value = frames.variable(frame, name)
    if value is not None:
        return value
    first, *attributes = name.split(".")
    value = frame.f_globals.get(first)
    for attribute in attributes:
        held = attempt(getattr, value, "__dict__", None)
        value = held.get(attribute) if isinstance(held, dict) else None
    return value
