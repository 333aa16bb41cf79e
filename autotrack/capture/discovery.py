"""Finds the person's models and optimizers, and what they are called, in the person's frames."""

from __future__ import annotations

import gc
import inspect
import re
from typing import TYPE_CHECKING, Any, NamedTuple

from torch import nn
from torch.optim import Optimizer

from autotrack import frames
from autotrack.guard import attempt

if TYPE_CHECKING:
    from collections.abc import Iterator

_WRAPPERS = re.compile(r"(?:^|(?<=\.))(?:_orig_mod|module|_forward_module)\.")
_MOST_ITEMS = 64
# Python's own names, and those in which a notebook keeps what its cells have shown: `_`, `_12`,
# `Out`.
_UNSPOKEN = re.compile(r"__|_\d*$|(?:Out|_oh)$")


class Found(NamedTuple):
    """A model or optimizer, the variable that holds it, and the frame that variable stands in.

    `scope` tells the namespace from every other: a function's call, or a module.
    """

    name: str
    thing: Any
    frame: int = 0
    suspends: bool = False
    scope: tuple[str, int] | None = None

    @property
    def in_module(self) -> bool:
        """Whether the variable is one of a module."""
        return self.scope is not None and self.scope[0] == "module"


# Functions whose frame may live on while nothing of it is on the stack.
_SUSPENDS = inspect.CO_GENERATOR | inspect.CO_COROUTINE | inspect.CO_ASYNC_GENERATOR


def named(boundary: int | None) -> dict[int, Found]:
    """Return every model and optimizer that a variable of the person's frames holds, by `id`.

    Outer frames win, because that is where the person named them; a loop variable loses against
    the list it runs over.
    """
    found: dict[int, Found] = {}
    for frame in frames.person_frames(boundary):
        local: dict[int, Found] = {}
        everywhere = ("module", id(frame.f_globals))
        is_module = frame.f_code.co_name == "<module>"
        scope = everywhere if is_module else ("call", id(frame))
        where = (id(frame), bool(frame.f_code.co_flags & _SUSPENDS), scope)
        for name, value in _things(frames.variables(frame)):
            thing = innermost(value)
            known = local.get(id(thing))
            if known is None or _rank(name) < _rank(known.name):
                local[id(thing)] = Found(name, thing, *where)
        if not is_module:
            for name, value in _things(frame.f_globals):
                thing = innermost(value)
                local.setdefault(id(thing), Found(name, thing, scope=everywhere))
        found.update(local)
    return found


def innermost(thing: Any) -> Any:
    """Return the optimizer that a library's wrapper around one lets step; anything else as it is.

    A wrapper whose own step PyTorch announces (Lookahead) is an optimizer itself.
    """
    if not isinstance(thing, Optimizer) or getattr(type(thing).step, "hooked", False):
        return thing
    inner = attempt(getattr, thing, "optimizer", None)
    if isinstance(inner, Optimizer):
        return inner
    held = [value for value in vars(thing).values() if isinstance(value, Optimizer)]
    return held[0] if len(held) == 1 else thing


def _rank(name: str) -> int:
    # `optimizers_0` says more than the `opt` of `for opt in optimizers`.
    return 0 if "\0" in name else 1


def name_of(found: dict[int, Found], thing: Any) -> str | None:
    """Return what the person calls `thing`, or None."""
    known = found.get(id(thing))
    return known.name.replace("\0", "_") if known else None


def _things(namespace: dict[str, Any]) -> Iterator[tuple[str, Any]]:
    for name, value in list(namespace.items()):
        if _UNSPOKEN.match(name):
            continue
        if isinstance(value, (nn.Module, Optimizer)):
            yield name, value
        elif isinstance(value, (list, tuple)):
            for index, item in enumerate(value[:_MOST_ITEMS]):
                yield from _item(f"{name}\0{index}", item)
        elif isinstance(value, dict):
            yield from _in_dict(name, value)
        if not isinstance(value, (type, nn.Module)):
            yield from _attributes(value)


def _in_dict(name: str, value: dict[Any, Any]) -> Iterator[tuple[str, Any]]:
    for index, (key, item) in enumerate(list(value.items())[:_MOST_ITEMS]):
        yield from _item(key if isinstance(key, str) else f"{name}\0{index}", item)


def _item(name: str, item: Any) -> Iterator[tuple[str, Any]]:
    """Yield an item of a list or dictionary, or what it holds where it is a person's object."""
    if isinstance(item, (nn.Module, Optimizer)):
        yield name, item
    else:
        yield from ((f"{name}\0{attribute}", held) for attribute, held in _attributes(item))


def _attributes(value: Any) -> Iterator[tuple[str, Any]]:
    """Yield `self.model`, `self.opt_g`, ... of a person's object under the attribute's own name.

    A scheduler's `optimizer` is the name that PyTorch gives it.
    """
    attributes = getattr(value, "__dict__", None)
    package = type(value).__module__.partition(".")[0]
    if package in ("builtins", "types", "torch") or not isinstance(attributes, dict):
        return
    for name, item in list(attributes.items()):
        if isinstance(item, (nn.Module, Optimizer)):
            yield name, item


def roots(
    modules: list[tuple[str, nn.Module]], parameters: set[int]
) -> list[tuple[str, nn.Module]]:
    """Return the outermost of `modules` that hold any of `parameters` (by `id`)."""
    holding = [(n, m) for n, m in modules if any(id(p) in parameters for p in m.parameters())]
    inner = {id(child) for _, m in holding for child in m.modules() if child is not m}
    unique: dict[int, tuple[str, nn.Module]] = {}
    for name, module in holding:
        if id(module) not in inner:
            unique.setdefault(id(module), (name, module))
    return list(unique.values())


def owners_in_memory(parameters: set[int]) -> list[tuple[str, nn.Module]]:
    """Return the roots among all living modules; slow, for models that no frame shows."""
    modules = [("model", m) for m in gc.get_objects() if issubclass(type(m), nn.Module)]
    return roots(modules, parameters)


def is_optimized(leaves: list[Any]) -> bool:
    """Whether a living optimizer holds any of `leaves`; slow, for one that no frame shows."""
    wanted = {id(leaf) for leaf in leaves}
    living = [thing for thing in gc.get_objects() if issubclass(type(thing), Optimizer)]
    return any(id(p) in wanted for o in living for group in o.param_groups for p in group["params"])


def parameter_names(model: nn.Module) -> list[tuple[str, Any]]:
    """Return the parameters of a model with their names, those of wrappers left out."""
    return [(_WRAPPERS.sub("", name), parameter) for name, parameter in model.named_parameters()]
