"""Watches loss functions where `torch.nn.functional` hands them to PyTorch's kernels.

Modules, functions and functions imported by name all end there. A builtin is never pickled by a
person's program, so replacing it cannot break `torch.save(model)`, and TorchScript is told which
operator the replacement stands for. Three losses that are pure Python are watched at their module.
"""

from __future__ import annotations

import functools
import sys
from typing import TYPE_CHECKING, Any, NamedTuple

import torch
from torch import nn
from torch.compiler import is_dynamo_compiling
from torch.jit import _builtins
from torch.nn import functional

from autotrack.context import IDLE, LOSS, active
from autotrack.events import LossComputed

if TYPE_CHECKING:
    from types import FrameType

    from autotrack.observers._patch import Patch

# While these last the next criterion call may be one of a backward to come.
_BEFORE_BACKWARD = (IDLE, LOSS)
_REDUCTIONS = ("none", "mean", "sum")


class _Kernel(NamedTuple):
    owner: Any
    kernel: str
    function: str
    target: int
    reduction: int
    ignore_index: int | None = None


_nn = torch._C._nn
_kl_div = functional.kl_div.__code__
# From a kernel up to the function of PyTorch that calls it, through the run and its guard.
_FRAMES_BETWEEN = 6

#: Where each loss keeps its target, reduction and ignore_index among the kernel's arguments.
KERNELS = (
    _Kernel(_nn, "cross_entropy_loss", "cross_entropy", 1, 3, 4),
    _Kernel(_nn, "nll_loss_nd", "nll_loss", 1, 3, 4),
    _Kernel(_nn, "mse_loss", "mse_loss", 1, 2),
    _Kernel(_nn, "l1_loss", "l1_loss", 1, 2),
    _Kernel(_nn, "smooth_l1_loss", "smooth_l1_loss", 1, 2),
    _Kernel(_nn, "huber_loss", "huber_loss", 1, 2),
    _Kernel(_nn, "binary_cross_entropy", "binary_cross_entropy", 1, 3),
    _Kernel(_nn, "multi_margin_loss", "multi_margin_loss", 1, 5),
    _Kernel(_nn, "multilabel_margin_loss", "multilabel_margin_loss", 1, 2),
    _Kernel(_nn, "soft_margin_loss", "soft_margin_loss", 1, 2),
    _Kernel(torch, "binary_cross_entropy_with_logits", "binary_cross_entropy_with_logits", 1, 4),
    _Kernel(torch, "kl_div", "kl_div", 1, 2),
    _Kernel(torch, "ctc_loss", "ctc_loss", 1, 5),
    _Kernel(torch, "poisson_nll_loss", "poisson_nll_loss", 1, 5),
    _Kernel(torch, "cosine_embedding_loss", "cosine_embedding_loss", 2, 4),
    _Kernel(torch, "hinge_embedding_loss", "hinge_embedding_loss", 1, 3),
    _Kernel(torch, "margin_ranking_loss", "margin_ranking_loss", 2, 4),
    _Kernel(torch, "triplet_margin_loss", "triplet_margin_loss", 1, 7),
)

#: Losses written in Python, seen when called through their module.
MODULES = (
    (nn.GaussianNLLLoss, "gaussian_nll_loss"),
    (nn.MultiLabelSoftMarginLoss, "multilabel_soft_margin_loss"),
    (nn.TripletMarginWithDistanceLoss, "triplet_margin_with_distance_loss"),
    (nn.AdaptiveLogSoftmaxWithLoss, "adaptive_log_softmax_with_loss"),
)


def install(patch: Patch) -> None:
    """Watch every loss of `torch.nn` and `torch.nn.functional`."""
    table = _builtins._get_builtin_table()  # type: ignore[no-untyped-call]
    for kernel in KERNELS:
        original = getattr(kernel.owner, kernel.kernel, None)
        patch.replace(kernel.owner, kernel.kernel, functools.partial(_wrap_kernel, kernel))
        if original is not None:
            patch.builtin(table, original, getattr(kernel.owner, kernel.kernel))
    for module, function in MODULES:
        patch.replace(module, "forward", functools.partial(_wrap_module, function))


def _wrap_kernel(kernel: _Kernel, original: Any) -> Any:
    def observed(*args: Any, **kwargs: Any) -> Any:
        if is_dynamo_compiling() or (run := active()) is None:
            return original(*args, **kwargs)
        loss = original(*args, **kwargs)
        settled = run.settled
        if settled.stage not in _BEFORE_BACKWARD or not settled.loss_computed(
            kernel, loss, args, kwargs
        ):
            run.emit(functools.partial(called, kernel, loss, args, kwargs))
        return loss

    observed.__name__ = observed.__qualname__ = kernel.kernel
    observed.__doc__ = original.__doc__
    return observed


def called(kernel: _Kernel, loss: Any, args: Any, kwargs: Any) -> LossComputed:
    """Return what a call of a loss kernel was."""
    target = args[kernel.target] if len(args) > kernel.target else kwargs.get("target")
    event = LossComputed(kernel.function, loss, args[0] if args else None, target, "mean")
    reduction = (
        args[kernel.reduction] if len(args) > kernel.reduction else kwargs.get("reduction", 1)
    )
    event.reduction = _REDUCTIONS[reduction] if isinstance(reduction, int) else str(reduction)
    if kernel.ignore_index is not None and len(args) > kernel.ignore_index:
        event.ignore_index = args[kernel.ignore_index]
    if kernel.function == "ctc_loss":
        event.size = _batch_of_ctc(args)
    elif kernel.function == "kl_div" and _is_batchmean():
        event.reduction, event.divisor = "mean", float(args[0].shape[0])
    return event


def _is_batchmean() -> bool:
    # `functional.kl_div` asks its kernel for a sum and divides that by the batch itself.
    frame: FrameType | None = sys._getframe(1)
    for _ in range(_FRAMES_BETWEEN):
        frame = frame.f_back if frame is not None else None
        if frame is not None and frame.f_code is _kl_div:
            return bool(frame.f_locals.get("reduction") == "batchmean")
    return False


def _batch_of_ctc(args: Any) -> int | None:
    # Log-probabilities are (T, N, C): the batch is counted by the input lengths.
    lengths = args[2] if len(args) > 2 else None
    if isinstance(lengths, torch.Tensor):
        return lengths.numel()
    return len(lengths) if lengths is not None else None


def _wrap_module(function: str, original: Any) -> Any:
    @functools.wraps(original)
    def forward(self: Any, *args: Any, **kwargs: Any) -> Any:
        loss = original(self, *args, **kwargs)
        if not is_dynamo_compiling() and (run := active()) is not None and args:
            run.emit(functools.partial(_returned, function, self, loss, args, kwargs))
        return loss

    return forward


def _returned(function: str, module: Any, loss: Any, args: Any, kwargs: Any) -> LossComputed:
    target = args[1] if len(args) > 1 else kwargs.get("target")
    # The adaptive softmax answers with a named tuple that holds the loss.
    value = getattr(loss, "loss", loss)
    return LossComputed(function, value, args[0], target, getattr(module, "reduction", "mean"))
