"""Watches gradient clipping.

`clip_grad_norm_` and `clip_grad_value_` are often imported by name, so what is patched are the
names that these two look up in their own module at call time.
"""

from __future__ import annotations

import functools
import sys
from typing import TYPE_CHECKING, Any

from torch.compiler import is_dynamo_compiling
from torch.nn.utils import clip_grad

from autotrack.context import active
from autotrack.events import ClippingStarted

if TYPE_CHECKING:
    from autotrack.observers._patch import Patch


def install(patch: Patch) -> None:
    """Watch clipping by norm and by value, however the functions were imported."""
    patch.replace(clip_grad, "_clip_grads_with_norm_", _wrap_by_norm)
    patch.replace(clip_grad, "_group_tensors_by_device_and_dtype", _wrap_grouping)


def _wrap_by_norm(original: Any) -> Any:
    @functools.wraps(original)
    def clip(parameters: Any, *args: Any, **kwargs: Any) -> Any:
        if not is_dynamo_compiling() and (run := active()) is not None:
            parameters = _listed(parameters)
            run.emit(ClippingStarted(parameters))
        return original(parameters, *args, **kwargs)

    return clip


def _wrap_grouping(original: Any) -> Any:
    @functools.wraps(original)
    def group(*args: Any, **kwargs: Any) -> Any:
        if not is_dynamo_compiling() and (run := active()) is not None:
            # The grouping also serves the norm; in these two, clipping comes right after it.
            caller = sys._getframe(1).f_code.co_name
            if caller in ("clip_grad_value_", "_clip_grads_with_norm_"):
                run.emit(functools.partial(_grouped, args))
        return original(*args, **kwargs)

    return group


def _grouped(args: Any) -> ClippingStarted:
    return ClippingStarted(args[0][0])


def _listed(parameters: Any) -> Any:
    # A generator can be read once; the original gets a list instead, which it accepts as well.
    return (
        parameters
        if hasattr(parameters, "__len__") or hasattr(parameters, "grad")
        else list(parameters)
    )
