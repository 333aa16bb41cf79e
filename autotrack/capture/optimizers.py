"""Which stream an optimizer belongs to, and what the person calls it."""

from __future__ import annotations

from typing import Any
from weakref import ref

from torch import nn

from autotrack.capture import discovery
from autotrack.capture.models import Models
from autotrack.capture.streams import Stream
from autotrack.loopscope import LoopScope


class Optimizers:
    """The streams of a run, in the order in which they were seen."""

    def __init__(self, scope: LoopScope, models: Models) -> None:
        self._scope = scope
        self._models = models
        self.streams: list[Stream] = []
        self._by_optimizer: dict[int, Stream] = {}

    def look_around(self) -> None:
        """Know every optimizer and every criterion module that a variable holds now."""
        found = discovery.named(self._scope.boundary)
        for name, thing in found.values():
            if hasattr(thing, "param_groups") and self.known(thing) is None:
                self._add(thing, name.replace("\0", "_"), found)
        self._models.watch_criteria(name_and_module for name_and_module in found.values() if _is_criterion(*name_and_module))

    def known(self, optimizer: Any) -> Stream | None:
        """Return the stream of an optimizer, or None."""
        stream = self._by_optimizer.get(id(optimizer))
        held = stream.optimizer() if stream is not None and stream.optimizer is not None else None
        return stream if held is optimizer else None

    def stream_of(self, optimizer: Any) -> Stream:
        """Return the stream of an optimizer, a new one if none has it."""
        return self.known(optimizer) or self.add(optimizer, None)

    def add(self, optimizer: Any, name: str | None) -> Stream:
        """Make a stream for `optimizer`, or let it take over the stream of the same variable."""
        found = discovery.named(self._scope.boundary)
        return self._add(optimizer, name or discovery.name_of(found, optimizer), found)

    def by_hand(self, leaves: list[Any]) -> Stream:
        """Return the stream of weights that are updated by hand."""
        for stream in self.streams:
            if stream.optimizer is None:
                stream.leaves = [ref(leaf) for leaf in leaves]
                return stream
        stream = Stream("by_hand", None, [ref(leaf) for leaf in leaves])
        self.streams.append(stream)
        return stream

    def with_gradients_of(self, tensors: Any) -> list[Stream]:
        """Return the streams that hold any of `tensors`, or parameters with these gradients."""
        wanted = {id(t) for t in tensors}
        return [s for s in self.streams if any(id(p) in wanted or id(p.grad) in wanted for p in s.parameters())]

    def find_model(self, stream: Stream) -> None:
        """Watch the models whose parameters a stream updates."""
        self._models.find(discovery.named(self._scope.boundary), stream.parameters())

    def _add(self, optimizer: Any, name: str | None, found: dict[int, tuple[str, Any]]) -> Stream:
        stream = self._taken_over(name, found)
        if stream is None:
            stream = Stream(name or f"optimizer_{len(self.streams)}", None)
            self.streams.append(stream)
        stream.optimizer = ref(optimizer)
        self._by_optimizer[id(optimizer)] = stream
        return stream

    def _taken_over(self, name: str | None, found: dict[int, tuple[str, Any]]) -> Stream | None:
        """Return the stream whose optimizer this variable held before, if no variable holds it now."""
        for stream in self.streams:
            if name is not None and stream.name == name and stream.optimizer is not None:
                before = stream.optimizer()
                if before is None or discovery.name_of(found, before) is None:
                    return stream
        return None


def _is_criterion(name: str, thing: Any) -> bool:
    """Whether a variable holds a person's own criterion: it has no weights, or it is called a loss."""
    if not isinstance(thing, nn.Module) or type(thing).__module__.partition(".")[0] == "torch":
        return False
    called = f"{name} {type(thing).__name__}".lower()
    return "loss" in called or "criterion" in called or not any(True for _ in thing.parameters())
