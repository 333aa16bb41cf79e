"""Watches `torch.autograd.backward`, which `Tensor.backward` looks up at call time, and `grad`.

What `torch.autograd.grad` takes gradients of is no loss of a step, and no evaluation either: an
attack on the inputs, the inner steps of meta-learning.
"""

from __future__ import annotations

import functools
from typing import TYPE_CHECKING, Any

import torch

from autotrack.context import BACKWARD, IDLE, LOSS, STEP, Newcomer, active
from autotrack.events import BackwardDone, BackwardStarted, GradientsAsked

if TYPE_CHECKING:
    from autotrack.observers._patch import Patch

# A loss that no criterion gave is not seen before its backward.
_BEFORE_BACKWARD = (LOSS, IDLE)


def install(patch: Patch) -> None:
    """Watch every backward call of the active run, and what else gradients are taken of."""
    patch.replace(torch.autograd, "backward", _wrap)
    patch.replace(torch.autograd, "grad", _wrap_grad)


def _wrap(original: Any) -> Any:
    is_dynamo_compiling = torch.compiler.is_dynamo_compiling

    @functools.wraps(original)
    def backward(tensors: Any, grad_tensors: Any = None, *args: Any, **kwargs: Any) -> Any:
        if is_dynamo_compiling() or (run := active()) is None:
            return original(tensors, grad_tensors, *args, **kwargs)
        settled = run.settled
        if settled.stage not in _BEFORE_BACKWARD or not settled.backward_started(
            tensors, grad_tensors, kwargs
        ):
            run.emit(functools.partial(_started, tensors, grad_tensors, kwargs))
        completed = False
        try:
            result = original(tensors, grad_tensors, *args, **kwargs)
            completed = True
        finally:
            if not completed or settled.stage != BACKWARD:
                run.emit(BackwardDone(completed))
            elif settled.after != STEP:
                settled.stage = settled.after
            elif not settled.stepped_by_hand():
                run.emit(BackwardDone(completed))
        return result

    return backward


def _started(tensors: Any, gradients: Any, kwargs: Any) -> BackwardStarted | None:
    if gradients is None:
        gradients = kwargs.get("grad_variables")
    tensors = _given(tensors)
    if not all(isinstance(tensor, torch.Tensor) for tensor in tensors):
        # Edges of the graph, which have no value: a backward that tells no loss.
        tensors = ()
    if any(tensor.is_meta for tensor in tensors):
        # A rehearsal, on the device that holds no numbers.
        return None
    if gradients is None:
        return BackwardStarted(tensors, (None,) * len(tensors))
    return BackwardStarted(tensors, _given(gradients))


def _given(tensors: Any) -> tuple[Any, ...]:
    """Return one tensor or several as a tuple; none of an iterator, which can be read once only."""
    if isinstance(tensors, torch.Tensor):
        return (tensors,)
    return () if tensors is None or hasattr(tensors, "__next__") else tuple(tensors)


def _wrap_grad(original: Any) -> Any:
    is_dynamo_compiling = torch.compiler.is_dynamo_compiling

    @functools.wraps(original)
    def grad(*args: Any, **kwargs: Any) -> Any:
        # Between settled steps no criterion's result waits for anything, nor in a thread of which
        # nothing shows yet that it trains.
        if (
            not is_dynamo_compiling()
            and (run := active()) is not None
            and (stage := run.settled.stage) != IDLE
            and not isinstance(run, Newcomer)
        ):
            asked = functools.partial(_asked, args[0] if args else kwargs.get("outputs"))
            if stage != LOSS or not run.settled.gradients_asked(asked):
                run.emit(asked)
        return original(*args, **kwargs)

    return grad


def _asked(outputs: Any) -> GradientsAsked | None:
    nodes = [tensor.grad_fn for tensor in _given(outputs) if isinstance(tensor, torch.Tensor)]
    return GradientsAsked(nodes) if any(node is not None for node in nodes) else None
