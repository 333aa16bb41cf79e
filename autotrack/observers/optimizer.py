"""Watches optimizer steps through PyTorch's global step hooks, and `zero_grad`."""

from __future__ import annotations

import functools
from typing import TYPE_CHECKING, Any

from torch import nn
from torch.compiler import is_dynamo_compiling
from torch.optim.optimizer import (
    Optimizer,
    register_optimizer_step_post_hook,
    register_optimizer_step_pre_hook,
)

from autotrack.context import CLIPPED, DONE, IDLE, LOSS, STEP, active
from autotrack.events import GradientsZeroed, StepDone, StepStarted
from autotrack.observers._dynamo import leave_eager

if TYPE_CHECKING:
    from autotrack.observers._patch import Patch

# While these last no gradient waits for a step.
_BETWEEN_STEPS = (IDLE, LOSS)
# Gradients are there, clipped or not.
_BEFORE_STEP = (DONE, CLIPPED)


def install(patch: Patch) -> None:
    """Watch the steps of every optimizer, a person's own subclasses and compiled steps included."""
    # PyTorch calls step hooks from one function around every step. Compiled, it would have to be
    # compiled anew because of our hooks, and without them in it.
    patch.undo.callback(leave_eager(Optimizer.profile_hook_step(_no_step)))
    patch.hook(register_optimizer_step_pre_hook, _step_started)
    patch.hook(register_optimizer_step_post_hook, _step_done)
    patch.replace(Optimizer, "zero_grad", _wrap_zero_grad)
    patch.replace(nn.Module, "zero_grad", _wrap_zero_grad)


def _no_step(self: Any) -> None:
    """Stand in for a step where only what PyTorch puts around it is wanted."""


def _step_started(optimizer: Optimizer, args: Any, kwargs: Any) -> None:
    if is_dynamo_compiling() or (run := active()) is None:
        return
    closure = (kwargs.get("closure") if len(args) < 2 else args[1]) is not None
    settled = run.settled
    if settled.stage not in _BEFORE_STEP or not settled.step_started(optimizer, closure):
        run.emit(StepStarted(optimizer, closure))


def _step_done(optimizer: Optimizer, args: Any, kwargs: Any) -> None:
    if is_dynamo_compiling() or (run := active()) is None:
        return
    settled = run.settled
    if settled.stage != STEP or not settled.step_done(optimizer):
        run.emit(StepDone(optimizer))


def _wrap_zero_grad(original: Any) -> Any:
    @functools.wraps(original)
    def zero_grad(self: Any, *args: Any, **kwargs: Any) -> Any:
        # Before they are gone: a closure's first evaluation ends here with its gradients in place.
        if not is_dynamo_compiling() and (run := active()) is not None:
            settled = run.settled
            # Between settled steps no gradient waits; but an optimizer that is new is news.
            if (
                settled.stage not in _BETWEEN_STEPS
                or settled.gathered
                or not (settled.optimizer() is self or isinstance(self, nn.Module))
            ):
                run.emit(GradientsZeroed(self))
        return original(self, *args, **kwargs)

    return zero_grad
