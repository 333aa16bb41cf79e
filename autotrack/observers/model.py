"""Watches the root model's forward through a hook on that one instance.

Copies and pickles of a model hold no hook of ours, so a model saved whole during a run is the file
that it is without autotrack: also `torch.load` with `weights_only`, which admits known classes
only, reads it.
"""

from __future__ import annotations

import functools
import sys
from collections import OrderedDict
from contextlib import nullcontext
from typing import TYPE_CHECKING, Any

from torch import nn
from torch.compiler import is_dynamo_compiling
from torch.jit import _recursive, _trace

from autotrack.context import active
from autotrack.events import CriterionEntered, FeaturesSeen, LossComputed, ModelCalled
from autotrack.observers._patch import replace_everywhere

if TYPE_CHECKING:
    from collections.abc import Callable

    from autotrack.observers._patch import Patch


def install(patch: Patch) -> None:
    """Keep our hooks out of what is copied, pickled and traced; who knows a model calls `watch`."""
    # Before Python 3.11 objects have no `__getstate__` of their own: their state is their `vars`.
    patch.replace(nn.Module, "__getstate__", _wrap_state, default=vars)
    patch.replace(_recursive, "get_hook_stubs", _wrap_hook_stubs)
    patch.replace(_trace, "_check_trace", _wrap_check)


def _wrap_hook_stubs(original: Any) -> Any:
    """TorchScript compiles the hooks of a module; ours are no part of the model."""

    @functools.wraps(original)
    def get_hook_stubs(nn_module: Any) -> Any:
        # A stand-in, because the module itself may be called by another thread meanwhile.
        shown = nn.Module.__new__(nn.Module)
        vars(shown).update(_without(vars(nn_module), _ours_in(nn_module)))
        return original(shown)

    return get_hook_stubs


def _wrap_check(original: Any) -> Any:
    """After tracing a model PyTorch calls it once more, to compare: that evaluates nothing."""

    @functools.wraps(original)
    def _check_trace(*args: Any, **kwargs: Any) -> Any:
        # The run stays the active one: the graphs that are compared hold our lines by number.
        run = active()
        with nullcontext() if run is None else run.unseen():
            return original(*args, **kwargs)

    return _check_trace


def _wrap_state(original: Any) -> Any:
    def __getstate__(self: nn.Module) -> Any:
        state = original(self)
        ours = _ours_in(self)
        return _without(state, ours) if ours and isinstance(state, dict) else state

    return __getstate__


def _ours_in(module: nn.Module) -> set[int]:
    # Through `vars`: a module whose `__init__` has not run yet has no hooks at all.
    held = (vars(module).get(name, {}) for name in ("_forward_hooks", "_forward_pre_hooks"))
    return {n for hooks in held for n, hook in hooks.items() if isinstance(hook, _Forward)}


def _without(state: dict[str, Any], hooks: set[int]) -> dict[str, Any]:
    """Return a module's state less some of its hooks; `state` itself may be the living module's."""
    places = [k for k in state if k.startswith(("_forward_hooks", "_forward_pre_hooks"))]
    kept = {k: OrderedDict((n, h) for n, h in state[k].items() if n not in hooks) for k in places}
    return {**state, **kept}


def watch(module: nn.Module) -> Callable[[], None]:
    """Emit `ModelCalled` after each forward of `module`; returns the undo."""
    undo: Callable[[], None] = module.register_forward_hook(_Forward()).remove
    return undo


def watch_alike(module: nn.Module) -> Callable[[], None]:
    """Emit `ModelCalled` after each forward of a model like a root; returns the undo."""
    undo: Callable[[], None] = module.register_forward_hook(_Alike()).remove
    return undo


def watch_features(module: nn.Module) -> Callable[[], None]:
    """Emit `FeaturesSeen` before each forward of a classifier, outside training."""
    undo: Callable[[], None] = module.register_forward_pre_hook(_Features()).remove
    return undo


def watch_criterion(module: nn.Module) -> Callable[[], None]:
    """Emit events around each call of a person's own criterion; returns the undo."""
    before = module.register_forward_pre_hook(_CriterionEntered())
    # Called after an exception too, so that the two always come in pairs.
    after = module.register_forward_hook(_CriterionLeft(), always_call=True)

    def undo() -> None:
        before.remove()
        after.remove()

    return undo


def watch_function(function: Any) -> Callable[[], None] | None:
    """Emit events around each call of a person's own loss function; returns the undo.

    None where the function stands in no module, so that its calls cannot be seen.
    """
    return replace_everywhere(function, _wrap_function)


def _wrap_function(original: Any) -> Any:
    @functools.wraps(original)
    def criterion(*args: Any, **kwargs: Any) -> Any:
        if is_dynamo_compiling() or (run := active()) is None:
            return original(*args, **kwargs)
        run.emit(CriterionEntered())
        loss = None
        try:
            loss = original(*args, **kwargs)
        finally:
            arguments = (*args, *kwargs.values())
            run.emit(functools.partial(_computed, original.__name__, arguments, loss))
        return loss

    return criterion


def _computed(name: str, args: tuple[Any, ...], loss: Any) -> LossComputed:
    prediction, target = (*args, None, None)[:2]
    return LossComputed(name, loss, prediction, target, "mean", own=True)


class _Forward:
    """A forward hook that also leaves nothing of autotrack where a module pickles its own way."""

    def __call__(self, module: nn.Module, args: Any, output: Any) -> None:
        if is_dynamo_compiling() or (run := active()) is None:
            return
        # A model that computes its own loss returns that beside its scores.
        first = output[0] if type(output) is tuple and output else output
        trains = getattr(first, "requires_grad", False)
        # In training one call says as much as the many of the same model that follow it.
        if not trains or getattr(run, "trained_by", None) is not self:
            run.trained_by = self if trains else None
            run.emit(ModelCalled(module, output, args))

    def __reduce__(self) -> Any:
        # `sys.audit(...)` takes whatever it is given and does nothing: a hook that is no hook.
        return functools.partial, (sys.audit, "saved_while_tracked")


class _Alike(_Forward):
    def __call__(self, module: nn.Module, args: Any, output: Any) -> None:
        if not is_dynamo_compiling() and (run := active()) is not None:
            run.emit(ModelCalled(module, output, args, alike=True))


class _Features(_Forward):
    def __call__(self, module: nn.Module, args: Any, output: Any = None) -> None:
        if module.training or not args or is_dynamo_compiling() or (run := active()) is None:
            return
        run.emit(FeaturesSeen(args[0]))


class _CriterionEntered(_Forward):
    def __call__(self, module: nn.Module, args: Any, output: Any = None) -> None:
        if not is_dynamo_compiling() and (run := active()) is not None:
            run.emit(CriterionEntered())


class _CriterionLeft(_Forward):
    def __call__(self, module: nn.Module, args: Any, output: Any) -> None:
        if not is_dynamo_compiling() and (run := active()) is not None:
            run.emit(functools.partial(_left, module, args, output))


def _left(module: nn.Module, args: Any, output: Any) -> LossComputed:
    prediction, target = (*args, None, None)[:2]
    reduction = str(getattr(module, "reduction", "mean"))
    return LossComputed(type(module).__name__, output, prediction, target, reduction, own=True)
