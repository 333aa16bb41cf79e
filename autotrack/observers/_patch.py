"""The only writer to attributes that are not ours, and the undo of each."""

from __future__ import annotations

import gc
import sys
from typing import TYPE_CHECKING, Any, ClassVar

from autotrack.observers._dynamo import uncompiled, uncompiled_wrapper

if TYPE_CHECKING:
    from collections.abc import Callable
    from contextlib import ExitStack


class Patch:
    """Puts wrappers in place and pushes each undo at the moment of install."""

    #: Surfaces this version of PyTorch does not have; the run's coverage names them.
    missing: ClassVar[list[str]] = []

    def __init__(self, undo: ExitStack) -> None:
        self.undo = undo

    def replace(
        self, owner: Any, name: str, wrap: Callable[[Any], Any], default: Any = None
    ) -> None:
        """Set `owner.name` to `wrap(original)`.

        Where there is no such name, `default` is wrapped, or else the name noted as missing.
        """
        original = getattr(owner, name, default)
        if original is None:
            Patch.missing.append(f"{getattr(owner, '__name__', owner)}.{name}")
            return
        if _is_under(original, owner, name):
            return
        inherited = name not in vars(owner)
        ours = wrap(original)
        uncompiled_wrapper(ours)
        setattr(owner, name, ours)
        self.undo.callback(_restore, owner, name, ours, original, inherited)

    def hook(self, register: Callable[[Any], Any], function: Callable[..., Any]) -> None:
        """Register `function` through an official hook that returns a removable handle."""
        self.undo.callback(register(uncompiled(function)).remove)

    def builtin(self, table: dict[int, str], original: Any, ours: Any) -> None:
        """Let TorchScript see `ours` as the operator that `original` is."""
        if id(original) in table:
            table[id(ours)] = table[id(original)]
            self.undo.callback(table.pop, id(ours), None)


# Our wrappers that an earlier run had to leave in place, below somebody else's.
_buried: list[tuple[Any, str, Any]] = []
_DEEPEST = 5
_MOST_LOOKED_AT = 10_000


def _is_under(function: Any, owner: Any, name: str) -> bool:
    """Whether `function` is, or calls, a wrapper of ours that stayed: another would count twice."""
    wrappers = {id(ours) for at, called, ours in _buried if at is owner and called == name}
    looked_at: set[int] = set()
    level = [function] if wrappers else []
    for _ in range(_DEEPEST):
        if any(id(thing) in wrappers for thing in level):
            return True
        looked_at.update(map(id, level))
        level = [t for t in gc.get_referents(*level) if id(t) not in looked_at]
        if len(level) > _MOST_LOOKED_AT:
            break
    return False


def replace_everywhere(function: Any, wrap: Callable[[Any], Any]) -> Callable[[], None] | None:
    """Let every module that holds `function` hold `wrap(function)`; returns the undo.

    None where no module holds it: a local function cannot be replaced.
    """
    ours = wrap(function)
    uncompiled_wrapper(ours)
    places = [
        (module, name)
        for module in list(sys.modules.values())
        for name, value in list(getattr(module, "__dict__", {}).items())
        if value is function
    ]
    for module, name in places:
        setattr(module, name, ours)

    def undo() -> None:
        for module, name in places:
            _restore(module, name, ours, function, inherited=False)

    return undo if places else None


def _restore(owner: Any, name: str, ours: Any, original: Any, inherited: object) -> None:
    # Somebody may have wrapped on top of us: then theirs stays, and ours passes through.
    if vars(owner).get(name) is not ours:
        _buried.append((owner, name, ours))
        return
    if inherited:
        delattr(owner, name)
    else:
        setattr(owner, name, original)
