"""Which stream an optimizer belongs to, and what the person calls it."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any
from weakref import ref

from torch import nn

from autotrack.capture import discovery
from autotrack.capture.streams import Stream
from autotrack.identity import Registry

if TYPE_CHECKING:
    from autotrack.capture.models import Models
    from autotrack.loopscope import LoopScope


class Optimizers:
    """The streams of a run, in the order in which they were seen."""

    def __init__(self, scope: LoopScope, models: Models) -> None:
        self._scope = scope
        self._models = models
        self.streams: list[Stream] = []
        self._by_optimizer: dict[int, Stream] = {}
        # Those whose training is over, which variables may hold still.
        self._past = Registry()
        # Frames are told apart by their `id` only at one and the same look.
        self._looks = 0

    def _found(self) -> dict[int, discovery.Found]:
        """Return what variables hold now, and note where the known optimizers stand among them."""
        self._looks += 1
        found = discovery.named(self._scope.boundary)
        for stream in self.streams:
            held = stream.optimizer() if stream.optimizer is not None else None
            if held is not None and (here := found.get(id(held))) is not None:
                stream.scope = self._scope_of(here)
        return found

    def look_around(self) -> list[nn.Module]:
        """Know every optimizer and every criterion module that a variable holds now.

        Return the modules that are new.
        """
        found = self._found()
        for one in found.values():
            if hasattr(one.thing, "param_groups") and not self._is_known(one.thing):
                self._add(one.thing, one.name.replace("\0", "_"), found)
        criteria = [one for one in found.values() if _is_criterion(one.name, one.thing)]
        self._models.called_losses.update(
            type(one.thing).__name__ for one in criteria if _is_called_loss(one.name, one.thing)
        )
        return self._models.watch_criteria(one.thing for one in criteria)

    def watch_alike(self) -> None:
        """Watch models that are like those trained, of which variables hold some to evaluate."""
        self._models.watch_alike(self._found().values())

    def known(self, optimizer: Any) -> Stream | None:
        """Return the stream of an optimizer, or None."""
        stream = self._by_optimizer.get(id(optimizer))
        if stream is not None and stream.optimizer is not None and stream.optimizer() is optimizer:
            return stream
        inner = discovery.innermost(optimizer)
        return None if inner is optimizer else self.known(inner)

    def add(self, optimizer: Any, name: str | None, *, beside: bool = False) -> Stream:
        """Make a stream for `optimizer`, or let it take over the stream of the same variable.

        With `beside` that is another optimizer's still, whatever holds it.
        """
        optimizer = discovery.innermost(optimizer)
        again = None if name or beside else self._made_again(optimizer)
        if again is not None:
            again.take_over(optimizer, self._models.is_one)
            self._by_optimizer[id(optimizer)] = again
            return again
        found = self._found()
        name = name or discovery.name_of(found, optimizer)
        return self._add(optimizer, name, found, beside=beside)

    def _made_again(self, optimizer: Any) -> Stream | None:
        """Return the stream of an optimizer's weights, where no variable held what was before it.

        A property, say, makes one for each step; the first came after a backward that seemed to be
        a step by hand.
        """
        given = {id(p) for group in optimizer.param_groups for p in group["params"]}
        for stream in self.streams:
            before = stream.optimizer() if stream.optimizer is not None else None
            nameless = before is None and stream.variable is None
            if nameless and not given.isdisjoint(id(p) for p in stream.parameters()):
                return stream
        return None

    def by_hand(self, leaves: list[Any]) -> Stream:
        """Return the stream of weights that are updated by hand."""
        for stream in self.streams:
            if stream.optimizer is None:
                stream.leaves = [ref(leaf) for leaf in leaves]
                return stream
        stream = Stream("by_hand", None, [ref(leaf) for leaf in leaves])
        self.streams.append(stream)
        return stream

    def drop_unused(self, stream: Stream) -> None:
        """Forget a stream that was none: it has not stepped."""
        if not stream.steps:
            self.streams.remove(stream)

    def is_alone(self, stream: Stream) -> bool:
        """Whether no other optimizer that has not stepped is held beside that of `stream`."""
        own = {id(parameter) for parameter in stream.parameters()}
        for one in self._found().values():
            if not hasattr(one.thing, "param_groups") or self._scope_of(one) != stream.scope:
                continue
            known = self.known(one.thing)
            stepped = known.steps > 0 if known is not None else self._past.get(one.thing)
            held = (p for group in one.thing.param_groups for p in group["params"])
            if not stepped and not own.issuperset(map(id, held)):
                return False
        return True

    def _is_known(self, optimizer: Any) -> bool:
        return self.known(optimizer) is not None or self._past.get(optimizer)

    def hand_over(self, before: Stream, stream: Stream) -> None:
        """Let `before` go on with the optimizer of `stream`, which has not stepped yet."""
        optimizer = stream.optimizer() if stream.optimizer is not None else None
        if optimizer is None:
            return
        self.streams.remove(stream)
        former = before.optimizer() if before.optimizer is not None else None
        if former is not None:
            self._past.set(former, value=True)
        before.earlier = before.optimizers()
        before.take_over(optimizer, self._models.is_one)
        before.name, before.variable = stream.name, stream.variable
        before.frame, before.scope = stream.frame, stream.scope
        if not before.pending:
            # Else they have the same weights, and so the same backward calls wait at both.
            before.pending, before.clipped = stream.pending, stream.clipped
        self._by_optimizer[id(optimizer)] = before

    def first_used(self, stream: Stream) -> None:
        """Let a stream that starts to step have its variable's name before one that only exists."""
        held = {id(parameter) for parameter in stream.parameters()}
        for other in self.streams:
            own = [id(parameter) for parameter in other.parameters()] if other.is_idle else []
            other.covered = other.covered or (
                other is not stream and bool(own) and held.issuperset(own)
            )
            if other.name == stream.variable and other is not stream and other.is_idle:
                other.name, stream.name = stream.name, other.name

    def with_gradients_of(self, tensors: Any) -> list[Stream]:
        """Return the streams that hold any of `tensors`, or parameters with these gradients."""
        wanted = {id(t) for t in tensors}
        return [
            s
            for s in self.streams
            if any(id(p) in wanted or id(p.grad) in wanted for p in s.parameters())
        ]

    def find_model(self, stream: Stream) -> None:
        """Watch the models whose parameters a stream updates, and the streams held beside it.

        So the models of a GAN are all known before a parameter has been named.
        """
        found = self._found()
        beside = [
            s
            for s in self.streams
            if s is stream or (s.scope is not None and s.scope == stream.scope and not s.covered)
        ]
        parameters = (p for s in beside for p in s.parameters())
        self._models.find(found, parameters, instead=stream.begins_anew)

    def _add(
        self,
        optimizer: Any,
        name: str | None,
        found: dict[int, discovery.Found],
        *,
        beside: bool = False,
    ) -> Stream:
        here = found.get(id(optimizer))
        stream = None if beside else self._taken_over(name, here, found)
        again = None if beside or stream is not None else self._made_again(optimizer)
        if again is not None and again.optimizer is not None:
            # What no variable held has one now; weights that were moved by hand stay apart.
            stream = again
        if stream is None:
            stream = Stream(self._unused(name or f"optimizer_{len(self.streams)}"), None)
            stream.late = any(other.steps for other in self.streams)
            self.streams.append(stream)
        stream.take_over(optimizer, self._models.is_one)
        stream.variable = name
        stream.frame = here.frame if here is not None and here.suspends else 0
        stream.scope = self._scope_of(here) if here is not None else None
        self._by_optimizer[id(optimizer)] = stream
        return stream

    def _scope_of(self, found: discovery.Found) -> object:
        """Return the namespace of an optimizer; a frame that may end has its `id` for one look."""
        lasts = found.scope in (("call", self._scope.boundary), None) or found.in_module
        return found.scope if lasts else (self._looks, found.scope)

    def _unused(self, name: str) -> str:
        taken = {stream.name for stream in self.streams}
        number = 2
        unused = name
        while unused in taken:
            unused = f"{name}_{number}"
            number += 1
        return unused

    def _taken_over(
        self, name: str | None, here: discovery.Found | None, found: dict[int, discovery.Found]
    ) -> Stream | None:
        """Return the stream whose optimizer this variable held before, if no variable holds it now.

        A variable of a suspended generator cannot be seen and may hold it still.
        """
        for stream in self.streams:
            if name is None or stream.variable != name or stream.optimizer is None:
                continue
            before = stream.optimizer()
            if before is None:
                return stream
            suspended = stream.frame and (here is None or here.frame != stream.frame)
            if not suspended and discovery.name_of(found, before) is None:
                return stream
        return None


def is_rehearsed(optimizer: Any) -> bool:
    """Whether a step is of weights without numbers, on PyTorch's device `meta`."""
    for group in optimizer.param_groups:
        for parameter in group["params"]:
            return bool(parameter.is_meta)
    return False


def _is_criterion(name: str, thing: Any) -> bool:
    """Whether a variable holds a person's own criterion: without weights, or called a loss."""
    if not isinstance(thing, nn.Module) or type(thing).__module__.partition(".")[0] == "torch":
        return False
    return _is_called_loss(name, thing) or not any(True for _ in thing.parameters())


def _is_called_loss(name: str, thing: nn.Module) -> bool:
    called = f"{name} {type(thing).__name__}".lower()
    return "loss" in called or "criterion" in called
