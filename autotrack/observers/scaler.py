"""Watches `torch.amp.GradScaler`, so that losses and gradients are read without its scale."""

from __future__ import annotations

import functools
from typing import TYPE_CHECKING, Any

import torch
from torch.amp.grad_scaler import GradScaler
from torch.compiler import is_dynamo_compiling

from autotrack.context import IDLE, LOSS, active
from autotrack.events import LossScaled, ScalerStepDone

if TYPE_CHECKING:
    from autotrack.observers._patch import Patch

# A loss that no criterion gave is not seen before it is scaled.
_BEFORE_BACKWARD = (LOSS, IDLE)


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
            settled = run.settled
            for loss, result in pairs:
                if settled.stage not in _BEFORE_BACKWARD or not settled.loss_scaled(
                    self, loss, result
                ):
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
            settled = run.settled
            # After a step that was skipped, gradients are still there.
            if settled.stage != IDLE or not settled.scaler_step_done(self, optimizer):
                run.emit(ScalerStepDone(self, optimizer))
        return result

    return step
