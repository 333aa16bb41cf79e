"""Watches the root model's forward through a hook on that one instance.

The hook is an object that pickles into something that needs no autotrack, so a model saved whole
during a run loads everywhere.
"""

from __future__ import annotations

import functools
import sys
from typing import TYPE_CHECKING, Any

from torch.compiler import is_compiling

from autotrack.context import active
from autotrack.events import CriterionEntered, LossComputed, ModelCalled

if TYPE_CHECKING:
    from collections.abc import Callable

    from torch import nn

    from autotrack.observers._patch import Patch


def install(patch: Patch) -> None:
    """Nothing is watched until a run knows its model and calls `watch`."""


def watch(module: nn.Module) -> Callable[[], None]:
    """Emit `ModelCalled` after each forward of `module`; returns the undo."""
    undo: Callable[[], None] = module.register_forward_hook(_Forward()).remove
    return undo


def watch_criterion(module: nn.Module) -> Callable[[], None]:
    """Emit `CriterionEntered` and `LossComputed` around a person's own criterion; returns the undo."""
    before = module.register_forward_pre_hook(_CriterionEntered())
    # Called after an exception too, so that the two always come in pairs.
    after = module.register_forward_hook(_CriterionLeft(), always_call=True)

    def undo() -> None:
        before.remove()
        after.remove()

    return undo


class _Forward:
    """A forward hook that leaves nothing of autotrack in a pickle of the module."""

    def __call__(self, module: nn.Module, args: Any, output: Any) -> None:
        if not is_compiling() and (run := active()) is not None:
            run.emit(ModelCalled(module, output))

    def __reduce__(self) -> Any:
        # `sys.audit(...)` takes whatever it is given and does nothing: a hook that is no hook.
        return functools.partial, (sys.audit, "saved_while_tracked")


class _CriterionEntered(_Forward):
    def __call__(self, module: nn.Module, args: Any, output: Any = None) -> None:
        if not is_compiling() and (run := active()) is not None:
            run.emit(CriterionEntered())


class _CriterionLeft(_Forward):
    def __call__(self, module: nn.Module, args: Any, output: Any) -> None:
        if is_compiling() or (run := active()) is None:
            return
        prediction, target = (*args, None, None)[:2]
        reduction = str(getattr(module, "reduction", "mean"))
        run.emit(
            LossComputed(type(module).__name__, output, prediction, target, reduction, own=True)
        )
