"""Watches `torch.amp.GradScaler`, so that losses and gradients are read without its scale."""

from __future__ import annotations

import functools
from typing import TYPE_CHECKING, Any

import torch
from torch.amp.grad_scaler import GradScaler
from torch.compiler import is_dynamo_compiling

from autotrack.context import active
from autotrack.events import LossScaled, ScalerStepDone

if TYPE_CHECKING:
    from autotrack.observers._patch import Patch


def install(patch: Patch) -> None:
    """Watch `scale` and `step` of every gradient scaler, the deprecated subclasses included."""
    patch.replace(GradScaler, "scale", _wrap_scale)
    patch.replace(GradScaler, "step", _wrap_step)


def _wrap_scale(original: Any) -> Any:
    @functools.wraps(original)
    def scale(self: Any, outputs: Any) -> Any:
        scaled = original(self, outputs)
        if not is_dynamo_compiling() and (run := active()) is not None and scaled is not outputs:
            pairs = (
                [(outputs, scaled)]
                if isinstance(outputs, torch.Tensor)
                else _pairs(outputs, scaled)
            )
            for loss, result in pairs:
                run.emit(LossScaled(self, loss, result))
        return scaled

    return scale


def _pairs(outputs: Any, scaled: Any) -> list[tuple[Any, Any]]:
    if not isinstance(outputs, (list, tuple)):
        return []
    return [p for p in zip(outputs, scaled, strict=False) if isinstance(p[0], torch.Tensor)]


def _wrap_step(original: Any) -> Any:
    @functools.wraps(original)
    def step(self: Any, optimizer: Any, *args: Any, **kwargs: Any) -> Any:
        result = original(self, optimizer, *args, **kwargs)
        if not is_dynamo_compiling() and (run := active()) is not None and self.is_enabled():
            run.emit(ScalerStepDone(self, optimizer))
        return result

    return step
