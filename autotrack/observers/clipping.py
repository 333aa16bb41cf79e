"""Watches gradient clipping.

`clip_grad_norm_` and `clip_grad_value_` are often imported by name, and Dynamo guards on every
function they call: one of ours among them would make it compile a function that clips once more.
What it does not look at is how `no_grad` is entered. Clipping runs in a block of its own under
`no_grad`, and so does the grouping by device of what is clipped, right before it changes.
"""

from __future__ import annotations

import functools
import sys
from typing import TYPE_CHECKING, Any

import torch
from torch.nn.utils import clip_grad

from autotrack.context import CLIPPED, DONE, active
from autotrack.events import ClippingStarted
from autotrack.observers._patch import Patch

if TYPE_CHECKING:
    from types import CodeType, FrameType

_GROUPING = "_group_tensors_by_device_and_dtype"
_BY_VALUE, _BY_NORM = "clip_grad_value_", "_clip_grads_with_norm_"
if not hasattr(clip_grad, _BY_NORM):
    # Before PyTorch 2.6 this one groups once, for the norm and for clipping.
    _BY_NORM = "clip_grad_norm_"


def install(patch: Patch) -> None:
    """Watch clipping by norm and by value, however the functions were imported."""
    names = (_GROUPING, _BY_NORM, _BY_VALUE)
    functions = [getattr(clip_grad, name, None) for name in names]
    if any(_under(function) is None for function in functions):
        Patch.missing.append(f"{clip_grad.__name__}.{_GROUPING}")
        return
    patch.replace(torch.no_grad, "__enter__", functools.partial(_wrap, *functions))


def _wrap(grouping: Any, by_norm: Any, by_value: Any, original: Any) -> Any:
    # One code stands for all that is decorated in the same way; what is under it tells them apart.
    around, group = by_norm.__code__, grouping.__code__
    scale, under_norm, under_value = by_norm.__wrapped__, _under(by_norm), _under(by_value)

    @functools.wraps(original)
    def enter(self: Any) -> None:
        original(self)
        # Not by its depth: where C calls, there may be no frame outside of this one.
        frame = sys._getframe().f_back
        code = frame.f_code if frame is not None else None
        if (code is not around and code is not group) or (run := active()) is None:
            return
        assert frame is not None
        caller, settled = frame.f_back, run.settled
        if code is around:
            if frame.f_locals.get("func") is scale and not (
                settled.stage == DONE
                and settled.clipping_started(functools.partial(_parameters_of, frame))
            ):
                run.emit(functools.partial(_entered, frame))
        elif caller is not None and caller.f_code is under_value:
            if settled.stage != DONE or not settled.values_clipped(
                functools.partial(_tensors_in, frame)
            ):
                run.emit(functools.partial(_grouped, frame))
        # A clipping that was taken at its entrance needs no second look.
        elif caller is not None and caller.f_code is under_norm and settled.stage != CLIPPED:
            run.emit(functools.partial(_grouped, frame, caller.f_back))

    return enter


def _entered(frame: FrameType) -> ClippingStarted | None:
    """Clipping by norm, which enters here even where there is nothing to clip."""
    return None if _is_read_once(frame) else ClippingStarted(_parameters_of(frame))


def _grouped(frame: FrameType, entrance: FrameType | None = None) -> ClippingStarted | None:
    """What has been grouped, unless it was seen at the entrance."""
    if entrance is not None and not _is_read_once(entrance):
        return None
    return ClippingStarted(_tensors_in(frame))


def _tensors_in(frame: FrameType) -> Any:
    """What is being grouped: the one list of the lists that the grouping has been called with."""
    return frame.f_locals["args"][0][0]


def _parameters_of(frame: FrameType) -> Any:
    """What a decorated function has been called with first."""
    said = frame.f_locals
    return said["args"][0] if said["args"] else said["kwargs"]["parameters"]


def _is_read_once(frame: FrameType) -> bool:
    # Reading an iterator here would leave nothing to clip.
    return hasattr(_parameters_of(frame), "__next__")


def _under(decorated: Any) -> CodeType | None:
    """The code of the function that `no_grad` decorates."""
    return getattr(getattr(decorated, "__wrapped__", None), "__code__", None)
