"""Keeps TorchDynamo from compiling autotrack itself.

Around a graph break of a compiled function, Dynamo looks at every Python frame that is called, ours
included. Compiled, our wrappers would take `is_dynamo_compiling()` for true and see nothing, and
their graphs and graph breaks would be counted as the person's. Marked as here, a frame of ours runs
as it is; where Dynamo traces through one of our wrappers, it still does.
"""

from __future__ import annotations

import inspect
from collections.abc import Callable
from types import FunctionType
from typing import TYPE_CHECKING, Any, TypeVar

if TYPE_CHECKING:
    from types import CodeType, ModuleType

F = TypeVar("F", bound=Callable[..., Any])


def uncompiled(function: F) -> F:
    """Let Dynamo compile neither `function` nor what it calls; returns `function`."""
    _mark(function.__code__, with_callees=True)
    return function


def uncompiled_wrapper(function: Any) -> None:
    """Let Dynamo not compile `function`, a wrapper, but still what it wraps."""
    if isinstance(function, FunctionType):
        _mark(function.__code__, with_callees=False)


def uncompiled_module(module: ModuleType) -> None:
    """Let Dynamo compile none of a module's own functions and methods, nor what they call."""
    own = [thing for thing in vars(module).values() if _is_own(thing, module)]
    methods = [m for c in own if inspect.isclass(c) for m in vars(c).values()]
    for function in (*own, *methods):
        if isinstance(function, FunctionType):
            _mark(function.__code__, with_callees=True)


def _is_own(thing: Any, module: ModuleType) -> bool:
    return getattr(thing, "__module__", None) == module.__name__


def leave_eager(function: Any) -> Callable[[], None]:
    """Let a foreign function run as it is, though not what it calls; returns the undo."""
    code = function.__code__
    _mark(code, with_callees=False)
    return lambda: _unmark(code)


def _mark(code: CodeType, *, with_callees: bool) -> None:
    # Looking at Dynamo's C side does not import its Python side, which takes a second.
    from torch._C._dynamo import eval_frame

    if hasattr(eval_frame, "set_code_exec_strategy"):
        skip, default = eval_frame._FrameAction.SKIP, eval_frame._FrameAction.DEFAULT
        strategy = eval_frame._FrameExecStrategy(skip, skip if with_callees else default)
        eval_frame.set_code_exec_strategy(code, strategy)
    elif hasattr(eval_frame, "skip_code"):
        # Older versions of PyTorch cannot include the callees, nor take the mark off again.
        eval_frame.skip_code(code)


def _unmark(code: CodeType) -> None:
    from torch._C._dynamo import eval_frame

    if hasattr(eval_frame, "set_code_exec_strategy"):
        default = eval_frame._FrameAction.DEFAULT
        strategy = eval_frame._FrameExecStrategy(default, default)
        eval_frame.set_code_exec_strategy(code, strategy)
