"""What a run knows of the person's models: their roots, their parameters' names, their mode."""

from __future__ import annotations

import itertools
import sys
from typing import TYPE_CHECKING, Any
from weakref import ref

from torch import nn

from autotrack.capture import discovery
from autotrack.errors import UsageError
from autotrack.guard import attempt
from autotrack.identity import Registry
from autotrack.observers import model as observer

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable

#: What tells models of one make from others.
_Make = tuple[str, tuple[tuple[str, tuple[int, ...]], ...]]


class Models:
    """The root models of a run: given, or found when the first optimizer steps."""

    def __init__(self) -> None:
        self._roots: list[tuple[str, ref[nn.Module]]] = []
        self._undo: list[Callable[[], None]] = []
        # How the hook of each root comes off, by the root's `id`.
        self._hooks: dict[int, Callable[[], None]] = {}
        self._resting: ref[nn.Module] | None = None
        # The class of each root there has been, with the names and shapes of its parameters.
        self._makes: set[_Make] = set()
        # How the hooks of other models of these makes come off.
        self._alike: list[Callable[[], None]] = []
        self._names = Registry()
        self._prefixes: dict[str, str] = {}
        self._criteria: Registry = Registry()
        #: The names of the criteria that the person stated.
        self.stated: list[str] = []
        #: The classes of those that are called a loss or criterion, by themselves or by a variable.
        self.called_losses: set[str] = set()
        #: Whether to watch what the last linear layer of each model takes.
        self.features = False

    def add(self, name: str, module: nn.Module) -> None:
        """Watch a root model from now on."""
        if any(known() is module for _, known in self._roots):
            return
        self._roots.append((name, ref(module)))
        self._hooks[id(module)] = observer.watch(module)
        self._remember(module)
        linear = [m for m in module.modules() if isinstance(m, nn.Linear)] if self.features else []
        if linear:
            self._undo.append(observer.watch_features(linear[-1]))
        self._names = Registry()

    def rest(self) -> None:
        """Take the hook off a lone model for a while in which its calls say nothing new.

        With any hook PyTorch calls a module by a longer way, a twentieth of the shortest steps.
        """
        living = self.living()
        if len(living) == 1 and not self.features and not _is_anything_compiled():
            self._resting = ref(living[0][1])
            self._hooks[id(living[0][1])]()

    def rest_no_more(self) -> None:
        """Watch the model again."""
        module = self._resting() if self._resting is not None else None
        self._resting = None
        if module is not None:
            self._hooks[id(module)] = observer.watch(module)

    def watch_alike(self, found: Iterable[discovery.Found]) -> None:
        """Watch other models of a root's make, until training goes on.

        What was trained is often tested by a new model that its saved state is loaded into.
        """
        self.watch_alike_no_more()
        known: set[int] = set()
        for _, root in self.living():
            self._remember(root)
            known.update(map(id, root.modules()))
        for one in found:
            module = one.thing
            if isinstance(module, nn.Module) and id(module) not in known:
                known.add(id(module))
                if attempt(_make_of, module) in self._makes:
                    self._alike.append(observer.watch_alike(module))

    def _remember(self, root: nn.Module) -> None:
        # A lazy layer has no shapes until it is called.
        if (make := attempt(_make_of, root)) is not None:
            self._makes.add(make)

    def watch_alike_no_more(self) -> None:
        """Training goes on."""
        while self._alike:
            self._alike.pop()()

    def find(
        self, found: dict[int, discovery.Found], parameters: Iterable[Any], *, instead: bool = False
    ) -> None:
        """Add the models among `found` that hold any of `parameters`.

        With `instead` they follow earlier ones, whose variable's name they have; else a name that a
        living model has is taken.
        """
        wanted = {id(p) for p in parameters} - self.parameters()
        if not wanted:
            return
        modules = [
            (f.name.replace("\0", "_"), f.thing)
            for f in found.values()
            if isinstance(f.thing, nn.Module)
        ]
        holding = discovery.roots(modules, wanted) or discovery.owners_in_memory(wanted)
        for name, module in holding:
            self.add(name if instead else self._unused(name), module)

    def _unused(self, name: str) -> str:
        taken = {known for known, _ in self.living()}
        names = (name if number == 1 else f"{name}_{number}" for number in itertools.count(1))
        return next(one for one in names if one not in taken)

    def watch_criteria(self, found: Iterable[nn.Module]) -> list[nn.Module]:
        """Watch a person's own criterion modules, except parts of a model; return the new ones."""
        inside = {id(child) for _, m in self.living() for child in m.modules()}
        new = []
        for module in found:
            if self._criteria.get(module) is None and id(module) not in inside:
                self._criteria.set(module, module.__class__)
                self._undo.append(observer.watch_criterion(module))
                new.append(module)
        return new

    def watch_stated(self, criterion: Any) -> None:
        """Watch a criterion that the person named. Raises UsageError for a local function."""
        self.stated.append(getattr(criterion, "__name__", type(criterion).__name__))
        if isinstance(criterion, nn.Module):
            self.watch_criteria([criterion])
            return
        undo = observer.watch_function(criterion)
        if undo is None:
            name = getattr(criterion, "__name__", criterion)
            msg = (
                f"criterion={name} stands in no module, so its calls cannot be seen; move it to one"
            )
            raise UsageError(msg)
        self._undo.append(undo)

    def parameters(self) -> set[int]:
        """Return the `id` of each parameter of the roots that are alive."""
        return {id(p) for _, module in self.living() for p in module.parameters()}

    def is_one(self, some: set[int], others: set[int]) -> bool:
        """Whether a root has parameters of both sets, by `id`."""
        held = ({id(p) for p in module.parameters()} for _, module in self.living())
        return any(not own.isdisjoint(some) and not own.isdisjoint(others) for own in held)

    def living(self) -> list[tuple[str, nn.Module]]:
        """Return the roots that are still alive, with what the person calls them."""
        return [(name, module) for name, known in self._roots if (module := known()) is not None]

    @property
    def roots(self) -> list[ref[nn.Module]]:
        """The roots, as they are held."""
        return [known for _, known in self._roots]

    @property
    def evaluating(self) -> bool:
        """Whether a root model is known and none is in training mode."""
        found = False
        for _, known in self._roots:
            module = known()
            if module is not None:
                if module.training:
                    return False
                found = True
        return found

    def name_of(self, parameter: Any) -> str | None:
        """Return a parameter's name in its model, or None."""
        name: str | None = self._names.get(parameter)
        if name is None:
            living = self.living()
            for root, model in living:
                prefix = self.prefix_of(root, alone=len(living) == 1)
                for own_name, known in discovery.parameter_names(model):
                    self._names.set(known, prefix + own_name)
            name = self._names.get(parameter)
        return name

    def prefix_of(self, root: str, *, alone: bool) -> str:
        """Return what stands before the names of a model's parameters: nothing, or `model.`.

        Decided once: a model found later does not rename those before it, because the record is
        append-only; one that takes over another's variable takes over its prefix.
        """
        if root not in self._prefixes:
            self._prefixes[root] = "" if alone and not self._prefixes else f"{root}."
        return self._prefixes[root]

    def is_embedding(self, parameter: Any) -> bool:
        """Whether a parameter is a table of which each batch looks up some rows."""
        return any(
            isinstance(module, (nn.Embedding, nn.EmbeddingBag)) and module.weight is parameter
            for _, root in self.living()
            for module in root.modules()
        )

    def release(self) -> None:
        """Take every hook off again, for good: settled steps may be handed back after it."""
        self._resting = None
        self.watch_alike_no_more()
        while self._hooks:
            self._hooks.popitem()[1]()
        while self._undo:
            self._undo.pop()()


def _make_of(module: nn.Module) -> _Make:
    shapes = ((name, tuple(p.shape)) for name, p in discovery.parameter_names(module))
    return type(module).__qualname__, tuple(shapes)


def _is_anything_compiled() -> bool:
    """Whether Dynamo has compiled a program of this process: it may have seen a model's hooks."""
    dynamo = sys.modules.get("torch._dynamo.eval_frame")
    return any(getattr(dynamo, "cached_backends", {}).values())
