"""Photographs every place where autotrack may hook into PyTorch, to compare before with after."""

from __future__ import annotations

import sys
import threading
from typing import Any

import torch

# Loaded lazily otherwise, at any time; it changes functions of torch and operators of torch.jit
import torch._dynamo
import torch.jit._builtins
import torch.nn.modules.loss
import torch.nn.modules.module
import torch.nn.utils.clip_grad
import torch.utils.data.dataloader

# `torch.optim` hides this module's name behind its own
from torch.optim import optimizer as torch_optim_optimizer

# Python and PyTorch fill these in by themselves, at any time
ITS_OWN = frozenset(
    {"__annotations__", "__doc__", "__slotnames__", "__warningregistry__", "_abc_impl"}
)

MODULES = (
    torch,
    torch._C._nn,
    torch.autograd,
    torch.nn.functional,
    torch.nn.utils,
    torch.nn.utils.clip_grad,
    torch.amp,
    torch.amp.grad_scaler,
    torch.utils.data,
    torch.utils.data.dataloader,
    torch_optim_optimizer,
)

CLASSES = (
    torch.Tensor,
    torch.no_grad,
    torch.nn.Module,
    torch.nn.Parameter,
    torch.optim.Optimizer,
    torch.optim.lr_scheduler.LRScheduler,
    torch.amp.GradScaler,
    torch.cuda.amp.GradScaler,
    torch.autograd.Function,
    torch.utils.data.DataLoader,
    torch.utils.data.dataloader._BaseDataLoaderIter,
    torch.utils.data.dataloader._SingleProcessDataLoaderIter,
    torch.utils.data.dataloader._MultiProcessingDataLoaderIter,
    *(vars(torch.nn.modules.loss)[name] for name in torch.nn.modules.loss.__all__),
)

HOOK_TABLES = tuple(
    (module, name)
    for module in (torch_optim_optimizer, torch.nn.modules.module)
    for name in vars(module)
    if name.startswith("_global_") and isinstance(vars(module)[name], dict)
)


def surfaces() -> dict[str, Any]:
    """Every patched or hooked place by name, with the very object that stands there now."""
    seen: dict[str, Any] = {}
    for owner in MODULES:
        seen |= {
            f"{owner.__name__}.{name}": value
            for name, value in vars(owner).items()
            if callable(value) and name not in ITS_OWN
        }
    for owner in CLASSES:
        seen |= {
            f"{owner.__module__}.{owner.__qualname__}.{name}": value
            for name, value in vars(owner).items()
            if name not in ITS_OWN
        }
    for module, name in HOOK_TABLES:
        seen |= {
            f"{module.__name__}.{name}[{key}]": hook for key, hook in getattr(module, name).items()
        }
    seen |= {
        f"torch.jit operator of {function}": operator for function, operator in _operators().items()
    }
    seen["sys.meta_path"] = tuple(sys.meta_path)
    seen["sys.excepthook"] = sys.excepthook
    seen["sys.gettrace"] = sys.gettrace()
    seen["sys.getprofile"] = sys.getprofile()
    seen["threading.excepthook"] = threading.excepthook
    return seen


def _operators() -> dict[int, str]:
    # what TorchScript takes each function for; the table is made at its first use
    return torch.jit._builtins._get_builtin_table()


def differences(before: dict[str, Any], after: dict[str, Any]) -> list[str]:
    """Names whose object is another one now, is new, or is gone."""
    return sorted(
        name
        for name in before.keys() | after.keys()
        if (name in before) != (name in after) or not _same(before[name], after[name])
    )


def _same(one: Any, other: Any) -> bool:
    return one is other or (isinstance(one, (tuple, str)) and one == other)


def left_on(*things: Any) -> list[str]:
    """Attributes and hooks of autotrack's on models, optimizers, tensors, and lists of them."""
    found = []
    for thing in things:
        if isinstance(thing, (list, tuple)):
            found += left_on(*thing)
        elif isinstance(thing, dict):
            found += left_on(*thing.values())
        elif isinstance(thing, torch.nn.Module):
            found += [name for module in thing.modules() for name in _ours_in(vars(module))]
            found += left_on(*thing.parameters())
        elif isinstance(thing, torch.optim.Optimizer):
            found += _ours_in(vars(thing))
        elif isinstance(thing, torch.Tensor):
            found += _ours_in({name: getattr(thing, name) for name in _HOOKS_OF_TENSORS})
    return found


_HOOKS_OF_TENSORS = ("_backward_hooks", "_post_accumulate_grad_hooks")


def _ours_in(attributes: dict[str, Any]) -> list[str]:
    return [
        name
        for name, value in attributes.items()
        for one in ([*value.values()] if isinstance(value, dict) else [value])
        if _is_ours(one)
    ]


def _is_ours(thing: Any) -> bool:
    thing = getattr(thing, "func", thing)
    home = getattr(thing, "__module__", None) or type(thing).__module__
    return type(home) is str and home.partition(".")[0] == "autotrack"
