"""Training: from backward calls and optimizer steps to numbered steps, epochs and passes."""

from __future__ import annotations

import time
from collections.abc import Callable
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any
from weakref import ref

from autotrack import events as e
from autotrack import graph
from autotrack.buffer import value_of
from autotrack.capture import discovery
from autotrack.capture.evaluation import Objective, Position
from autotrack.capture.streams import Stream, gradient_marks
from autotrack.loopscope import Loop, LoopScope, Site
from autotrack.row import Row, Value
from autotrack.timeline import EpochCounter, Stretch

if TYPE_CHECKING:
    from autotrack.capture.capture import Capture

# Backward calls kept while no optimizer is known; more than this is a loop without one.
_MOST_UNCLAIMED = 4096


@dataclass(slots=True)
class _Known:
    """What a training call site has taught: who steps on it, and by what the person divides."""

    streams: list[Stream] = field(default_factory=list)
    divisor: float | None = None
    held: list[e.TrainBatch] = field(default_factory=list)


@dataclass(slots=True)
class Seen:
    """What the coverage tells about training."""

    backwards: int = 0
    losses: int = 0
    criteria: int = 0
    epochs: int = 0
    functions: set[str] = field(default_factory=set)


class Training:
    """The training side of the capture."""

    def __init__(
        self,
        capture: Capture,
        scope: LoopScope,
        publish: Callable[[Any], None],
        emit_row: Callable[[Row, Any], None],
    ) -> None:
        self._capture = capture
        self._scope = scope
        self._publish = publish
        self._emit_row = emit_row
        self.streams: list[Stream] = []
        self.objective = Objective()
        self.epochs = EpochCounter()
        self.has_epochs = False
        self.without_optimizer = False
        self.skipped = 0
        self.seen = Seen()
        self.snapshot_due: Callable[[Stream, int, int | None, bool], bool] = lambda *_: False
        self._by_optimizer: dict[int, Stream] = {}
        self._sites: dict[int, _Known] = {}
        self._unclaimed: list[e.TrainBatch] = []
        self._depth = 0
        self._batch: e.TrainBatch | None = None
        self._marks: list[list[tuple[int, int]]] = []
        self._scaled: list[tuple[ref[Any], Any, Value, Any]] = []
        self._scaler: Any = None
        self._stretch = Stretch()
        self._looked = False
        self._found: dict[int, tuple[str, Any]] = {}
        self._snapshot = False
        self._open: list[Stream] = []
        self.epoch_loop: Loop | None = None
        self.current: int | None = None
        capture.evaluation.connect(self.epoch_here, self._evaluation_from_outputs)
        capture.evaluation.objective = self.objective

    # -- backward --------------------------------------------------------------------------------

    def loss_scaled(self, event: e.LossScaled) -> None:
        """Remember what a scaled loss was before scaling."""
        self._scaler = event.scaler
        if event.loss.numel() == 1:
            self._scaled.append((ref(event.scaled), event.loss.grad_fn, value_of(event.loss), event.scaler))
            del self._scaled[:-8]

    def backward_started(self, event: e.BackwardStarted) -> None:
        """Read the loss and its graph while the graph is alive; nested calls belong to the outer."""
        self._depth += 1
        if self._depth > 1:
            return
        self._look_around()
        self._discard_forgotten_gradients()
        site = self._scope.site()
        if id(site) not in self._sites:
            self._sites[id(site)] = _Known()
            self._capture.evaluation.phases.training_at(site)
        self._batch = self._read(event, site)
        if len(self.streams) > 1:
            self._marks = [gradient_marks(s.parameters()) for s in self.streams]

    def backward_done(self, event: e.BackwardDone) -> None:
        """Let the backward call wait at every stream whose parameters it reached."""
        self._depth -= 1
        if self._depth > 0:
            return
        self._depth = 0
        batch, self._batch = self._batch, None
        if batch is None or not event.completed:
            return
        self._scaled.clear()
        self.evaluation_ends()
        reached = self._reached()
        for stream in reached:
            if stream.in_closure and stream.first_evaluation_over:
                continue
            stream.pending.append(batch)
            if stream.in_closure:
                self._publish(e.GradientsReady(stream, clipped=False, snapshot=self._snapshot))
        if not self.streams:
            self._unclaimed.append(batch)
            if self.without_optimizer or len(self._unclaimed) >= _MOST_UNCLAIMED:
                self.step_without_optimizer()
        known = self._sites[id(batch.site)]
        if known.streams:
            self._credit(batch, known)

    def _read(self, event: e.BackwardStarted, site: Site) -> e.TrainBatch:
        node, value = self._loss_of(event)
        reading = graph.read(node, self._capture.criteria.waiting)
        self._capture.criteria.fed_training(reading.parts)
        first = reading.parts[0] if reading.parts else None
        self._note(value, reading.parts)
        sizes = {part.size for part in reading.parts}
        size = first.size if first is not None and len(sizes) == 1 else None
        return e.TrainBatch(
            site=site,
            value=value,
            divisor=reading.divisor,
            size=size if size is not None else self._capture.evaluation.batch_size,
            parts=reading.parts,
            reduction=first.reduction if len({p.reduction for p in reading.parts}) == 1 and first else "mean" if not first else "mixed",
            whole=reading.exact,
            epoch=self._epoch(site),
        )

    def _note(self, value: Value | None, parts: list[e.CriterionCall]) -> None:
        self.seen.backwards += 1
        self.seen.losses += value is not None
        self.seen.criteria += bool(parts)
        self.seen.functions.update(part.function for part in parts)

    def _loss_of(self, event: e.BackwardStarted) -> tuple[Any, Value | None]:
        """Return the node to read from and the loss before scaling."""
        if len(event.tensors) != 1:
            values = [value_of(t) for t in event.tensors if t.numel() == 1]
            total = sum(values[1:], values[0]) if values and len(values) == len(event.tensors) else None
            return None, total
        tensor, gradient = event.tensors[0], event.gradients[0]
        for scaled, node, value, _ in self._scaled:
            if scaled() is tensor:
                return node, value
        if gradient is not None and (tensor.numel() != 1 or gradient.numel() != 1):
            value = value_of((tensor.detach() * gradient.detach()).sum())
            return tensor.grad_fn, value if graph.read(tensor.grad_fn, self._capture.criteria.waiting).parts else None
        if tensor.numel() != 1 or tensor.is_complex():
            return tensor.grad_fn, None
        value = value_of(tensor)
        if gradient is not None:
            value = value * value_of(gradient)
        return tensor.grad_fn, value

    def _reached(self) -> list[Stream]:
        if len(self.streams) < 2 or len(self._marks) != len(self.streams):
            return list(self.streams)
        marks, self._marks = self._marks, []
        return [s for s, before in zip(self.streams, marks, strict=True) if gradient_marks(s.parameters()) != before]

    def _discard_forgotten_gradients(self) -> None:
        """`p.grad = None` by hand is a `zero_grad` that nobody announces."""
        for stream in self.streams:
            if stream.pending and all(p.grad is None for p in stream.parameters()):
                if stream.in_closure:
                    stream.first_evaluation_over = True
                else:
                    self._drop(stream)

    # -- steps -----------------------------------------------------------------------------------

    def gradients_zeroed(self, event: e.GradientsZeroed) -> None:
        """Gradients were discarded: what waited for a step will not be part of one."""
        owner = event.owner
        if hasattr(owner, "param_groups"):
            zeroed = [self.stream_of(owner)]
        else:
            if not any(s.pending for s in self.streams):
                return
            inside = {id(p) for p in owner.parameters()}  # type: ignore[union-attr]
            zeroed = [s for s in self.streams if s.pending and all(id(p) in inside for p in s.parameters())]
        for stream in zeroed:
            if stream.in_closure:
                stream.first_evaluation_over = stream.first_evaluation_over or bool(stream.pending)
            elif stream.pending:
                self._drop(stream)

    def clipping_started(self, event: e.ClippingStarted) -> None:
        """Take the norms before gradients change."""
        clipped = {id(p) for p in _listed(event.parameters)}
        for stream in self._streams_with(clipped):
            if not stream.clipped:
                stream.clipped = True
                self._publish(e.GradientsBeforeClipping(stream, self._scale_of(stream)))

    def step_started(self, event: e.StepStarted) -> None:
        """Gradients are final: metrics read them, and the weights before they change."""
        stream = self.stream_of(event.optimizer)
        if stream not in self._open:
            self._open.append(stream)
        stream.in_closure = event.closure
        stream.first_evaluation_over = False
        if event.closure and stream.pending:
            # Gradients of before are the closure's own to zero.
            self._drop(stream)
        if stream.steps == 0 and not stream.stepped:
            self._first_step(stream)
        epoch = stream.pending[-1].epoch if stream.pending else stream.epoch
        self._snapshot = self.snapshot_due(stream, stream.steps, epoch, self._last_batch_of_epoch())
        self._publish(e.StepBegan(stream, event.optimizer, self._snapshot))
        if not event.closure:
            self._publish(e.GradientsReady(stream, clipped=stream.clipped, snapshot=self._snapshot))

    def step_done(self, event: e.StepDone) -> None:
        """An optimizer ran its step; with a fused optimizer under a scaler perhaps without effect."""
        stream = self.stream_of(event.optimizer)
        stream.in_closure = False
        found_inf = getattr(event.optimizer, "found_inf", None)
        if found_inf is not None and getattr(event.optimizer, "grad_scale", None) is not None and float(found_inf):
            return
        stream.stepped = True
        self._take_step(stream)

    def scaler_step_done(self, event: e.ScalerStepDone) -> None:
        """After `scaler.step`: a step that did not happen is counted as skipped, not as a step."""
        stream = self.stream_of(event.optimizer)
        if not stream.stepped:
            self.skipped += 1
            stream.clipped = False
            self._publish(e.StepSkipped(stream))
            self._drop(stream)
        stream.stepped = False

    def step_without_optimizer(self) -> None:
        """No optimizer exists: every backward call was a step of its own."""
        self.without_optimizer = True
        waiting, self._unclaimed = self._unclaimed, []
        stream = self._hand_stream()
        for batch in waiting:
            stream.pending.append(batch)
            self._take_step(stream)

    def settle(self) -> None:
        """Called before a flush: decide whether backward calls without any step were steps by hand."""
        if self._unclaimed and not self.streams and not discovery.optimizers_in_memory():
            self.step_without_optimizer()

    def _hand_stream(self) -> Stream:
        for stream in self.streams:
            if stream.optimizer is None:
                return stream
        stream = Stream("", None)
        self.streams.append(stream)
        return stream

    def _take_step(self, stream: Stream) -> None:
        batches, stream.pending = stream.pending, []
        self._learn(stream, batches)
        epoch = next((b.epoch for b in reversed(batches) if b.epoch is not None), stream.epoch)
        row = Row(stream.steps, time.time())
        self._mark_epoch(stream, epoch, row)
        stream.steps += 1
        self._publish(e.StepTaken(stream, stream.steps - 1, epoch, batches, row, self._snapshot))
        self._emit_row(row, stream)
        stream.clipped = False
        self._capture.criteria.step_done()
        self.evaluation_ends()
        if not self.has_epochs and self._stretch.step():
            self._end_pass(stream)

    def _learn(self, stream: Stream, batches: list[e.TrainBatch]) -> None:
        """Take from a completed step what its sites divide by, and credit what waited for that."""
        groups: dict[int, list[e.TrainBatch]] = {}
        for batch in batches:
            groups.setdefault(id(batch.site), []).append(batch)
        for key, group in groups.items():
            known = self._sites[key]
            if len(group) > 1 and group[0].divisor == len(group):
                known.divisor = group[0].divisor
            for batch in group:
                batch.freed = self._freed(batch, known)
            if stream not in known.streams:
                known.streams.append(stream)
            held, known.held = known.held, []
            for batch in (*held, *group):
                self._credit(batch, known)
        self.objective.learn(batches, len(groups))

    @staticmethod
    def _freed(batch: e.TrainBatch, known: _Known) -> Value | None:
        """Return the loss freed of the person's division by the number of micro-batches."""
        if batch.value is None or known.divisor is None or batch.divisor != known.divisor:
            return batch.value
        return batch.value * known.divisor

    def _credit(self, batch: e.TrainBatch, known: _Known) -> None:
        """Count a batch in the pass in which the model saw it, once."""
        if batch.credited:
            return
        batch.credited = True
        batch.freed = self._freed(batch, known)
        for stream in known.streams:
            self._publish(e.TrainBatchSeen(stream, batch, batch.freed))

    def _drop(self, stream: Stream) -> None:
        for batch in stream.pending:
            known = self._sites[id(batch.site)]
            if known.streams:
                self._credit(batch, known)
            elif len(known.held) < _MOST_UNCLAIMED:
                known.held.append(batch)
        stream.pending.clear()

    # -- epochs and passes -----------------------------------------------------------------------

    def _epoch(self, site: Site) -> int | None:
        """Return the epoch of the batch in hand; ends the running pass where a new one begins."""
        loader = self._capture.evaluation.last_loader
        by_loader = self._capture.loaders.train(loader) if loader is not None else None
        shown = self._scope.epoch_number(site, loader_based=loader is not None)
        if shown is not None:
            self.epoch_loop = shown[0]
            epoch: int | None = self.epochs.at(shown[0].key, shown[1])
        else:
            epoch = by_loader
        if epoch is not None:
            self.has_epochs = True
        if epoch != self.current:
            self._new_epoch(epoch)
        return epoch

    def _new_epoch(self, epoch: int | None) -> None:
        if self.current is not None:
            for stream in self._open:
                self._end_pass(stream)
        self.current = epoch
        self.seen.epochs += epoch is not None
        if epoch is None:
            self.has_epochs = False

    def _mark_epoch(self, stream: Stream, epoch: int | None, row: Row) -> None:
        if epoch is not None and epoch != stream.epoch:
            stream.epoch = epoch
            row.hidden.append(("autotrack/epoch", epoch))

    def _end_pass(self, stream: Stream) -> None:
        """Close a stream's training pass: one point of its epoch series."""
        self._stretch.steps = 0
        with_epochs = self.has_epochs and self.current is not None
        x = self.current if with_epochs and self.current is not None else stream.steps
        row = Row(x, time.time())
        self._publish(e.TrainPassEnded(stream, row))
        if row.scalars:
            row.hidden.append(("autotrack/step", stream.steps))
            self._emit_row(row, stream)

    def evaluation_begins(self) -> None:
        """Evaluation starts: without epochs, that ends a training pass."""
        self._stretch.evaluations += 1
        if not self.has_epochs and self._stretch.steps:
            for stream in self._open:
                self._end_pass(stream)

    def _evaluation_from_outputs(self) -> Position:
        self.evaluation_begins()
        return self.position()

    def evaluation_ends(self) -> None:
        """Training goes on: the running evaluation pass is over."""
        self._capture.evaluation.training_goes_on(self.position(), self.objective)

    def position(self) -> Position:
        """Return where training stands: what an evaluation point needs."""
        steps = max((s.steps for s in self.streams), default=0)
        started = steps > 0 or bool(self._unclaimed)
        return Position(steps, self.current if self.has_epochs else None, started)

    def epoch_here(self) -> int | None:
        """Return the epoch that the epoch loop shows now, where the running code is inside that loop."""
        if self.epoch_loop is None:
            return None
        number = self._scope.number_here(self._scope.site(), self.epoch_loop)
        return None if number is None else self.epochs.peek(self.epoch_loop.key, number)

    def end(self, *, failed: bool) -> None:
        """The run is over: the running pass is a pass, unless an exception cut it short."""
        self.settle()
        for stream in self.streams:
            self._drop(stream)
        if not failed:
            for stream in self._open or self.streams:
                if stream.steps:
                    self._end_pass(stream)

    # -- streams ---------------------------------------------------------------------------------

    def stream_of(self, optimizer: Any) -> Stream:
        """Return the stream of an optimizer, a new one if none has it."""
        known = self._by_optimizer.get(id(optimizer))
        if known is not None and known.optimizer is not None and known.optimizer() is optimizer:
            return known
        return self.add_optimizer(optimizer, None)

    def add_optimizer(self, optimizer: Any, name: str | None) -> Stream:
        """Make a stream for `optimizer`, or let it take over the stream of the same variable."""
        if name is None:
            self._found = discovery.named(self._scope.boundary)
            name = discovery.name_of(self._found, optimizer)
        stream = self._taken_over(name)
        if stream is None:
            stream = Stream(name or f"optimizer_{len(self.streams)}", None)
            self.streams.append(stream)
        stream.optimizer = ref(optimizer)
        self._by_optimizer[id(optimizer)] = stream
        if self._unclaimed:
            stream.pending, self._unclaimed = self._unclaimed, []
        return stream

    def _taken_over(self, name: str | None) -> Stream | None:
        """Return the stream whose optimizer this variable held before, if no variable holds that one now."""
        for stream in self.streams:
            if name is not None and stream.name == name and stream.optimizer is not None:
                before = stream.optimizer()
                if before is None or discovery.name_of(self._found, before) is None:
                    return stream
        return None

    def _streams_with(self, parameters: set[int]) -> list[Stream]:
        found = [s for s in self.streams if any(id(p) in parameters for p in s.parameters())]
        if found or self._looked:
            return found
        self._look_around()
        return [s for s in self.streams if any(id(p) in parameters for p in s.parameters())]

    def _look_around(self) -> None:
        """Once, at the first backward: know every optimizer that a variable holds."""
        if self._looked:
            return
        self._looked = True
        self._found = discovery.named(self._scope.boundary)
        for name, thing in self._found.values():
            if hasattr(thing, "param_groups") and id(thing) not in self._by_optimizer:
                self.add_optimizer(thing, name.replace("\0", "_"))

    def _first_step(self, stream: Stream) -> None:
        self._found = self._found or discovery.named(self._scope.boundary)
        self._capture.models.find(self._found, stream.parameters())
        self._found = {}

    def _scale_of(self, stream: Stream) -> Any:
        """Return by what a stream's gradients are still multiplied: None where nothing scales them."""
        optimizer = stream.optimizer() if stream.optimizer is not None else None
        scaler = self._scaler
        if scaler is None or optimizer is None:
            return None
        state = scaler._per_optimizer_states.get(id(optimizer))
        if state is not None and state["stage"].name != "READY":
            return None
        return scaler._scale

    def _last_batch_of_epoch(self) -> bool:
        return self._capture.evaluation.last_batch_in_hand()


def _listed(parameters: Any) -> list[Any]:
    return [parameters] if hasattr(parameters, "grad") else list(parameters)
