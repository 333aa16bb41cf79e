"""Settled steps: those that go as the ones before went, taken by a short path.

Once steps have settled, an observer asks here first. As long as a step does what the settled ones
did, each of its events is a few comparisons and a number kept; what follows from the numbers is
worked out for many steps together (`fold`), when they are due on disk. The first thing that is not
as it was, whatever it is, goes to the interpreter (`Capture`), and before that everything here is
handed back to it, a step that is under way included. So the short path knows one case only and the
interpreter all of them, and both write the same record.
"""

from __future__ import annotations

import math
import time
from contextlib import nullcontext
from threading import get_ident
from time import perf_counter
from typing import TYPE_CHECKING, Any, Literal, Protocol

from torch import Tensor

from autotrack import frames
from autotrack.block import Block
from autotrack.capture.alike import Alike
from autotrack.capture.pattern import pattern_of
from autotrack.context import BACKWARD, CLIPPED, IDLE, LOSS, OFF, STEP
from autotrack.keeper import Keeper, Steps
from autotrack.observers.criterion import called
from autotrack.observers.cuda_graph import graphs
from autotrack.pending import Pending

if TYPE_CHECKING:
    from collections.abc import Callable
    from types import FrameType

    from autotrack.capture.capture import Capture
    from autotrack.capture.pattern import Pattern
    from autotrack.capture.streams import Stream
    from autotrack.cost import Meter
    from autotrack.events import TrainBatch
    from autotrack.guard import Guard
    from autotrack.loopscope import LoopScope
    from autotrack.row import Value
    from autotrack.transfer import Places, Transfer

#: Steps that are folded together at most.
MOST_STEPS = 1000
# Frames between an observer's wrapper and the functions below that look outwards.
_INWARDS = 3
# Beginning costs about as much as so many steps of the short path save.
_WORTH_IT = 4
# What the time of these steps is called beside that of the metrics.
_COST = "settled steps"


class Surroundings(Protocol):
    """What the short path needs of its run."""

    @property
    def records(self) -> bool:
        """Whether what is taken goes anywhere."""

    def undisturbed(self) -> bool:
        """Whether what happens now is the training's, and its tensors hold numbers."""

    def due(self) -> float:
        """When, by the performance counter, the record must grow."""

    def flush_due(self) -> None:
        """Let the record grow: it is due."""

    def add_block(self, block: Block, stream: Stream) -> None:
        """Take finished steps."""

    def quiet_epochs(self, stream: Stream) -> float:
        """How many epochs of one step each begin before the next snapshot."""

    def lets_last_batch_pass(self, stream: Stream) -> bool:
        """Whether the step with the last batch of a pass gets no snapshot."""

    def epochs_passed(self, stream: Stream, epochs: int) -> None:
        """So many of them have begun."""


class Settled:
    """The short path of one run; `stage` says how far the step under way has come.

    Each of the methods that take an event returns whether it was as expected; where it was not,
    nothing has been taken and the event is for the interpreter.
    """

    def __init__(
        self,
        capture: Capture,
        scope: LoopScope,
        meter: Meter,
        guard: Guard,
        run: Surroundings,
        *,
        transfer: Transfer,
        keepers_for: Callable[[Pattern], list[Keeper] | None],
    ) -> None:
        """`keepers_for` gives what stands in for the metrics, None where one has no such thing."""
        self.stage = OFF
        self._capture = capture
        self._scope = scope
        self._meter = meter
        self._guard = guard
        self._run = run
        self._keepers_for = keepers_for
        self._transfer = transfer
        self._places_before: Places | None = None
        self._keepers: list[Keeper] = []
        self._patience = self._not_before = self._count = 0
        #: How many steps have taken the short path.
        self.taken = 0
        capture.training.settles = self.consider
        self._value_of = capture.criteria.value_of
        self._in_hand = capture.criteria.in_hand
        self._calling: Keeper | None = None
        #: The one optimizer of the settled steps.
        self.optimizer: Callable[[], Any] = lambda: None
        self.loss_computed = guard.watched(self._loss_computed, self._broken)
        self.backward_started = guard.watched(self._backward_started, self._broken)
        self.clipping_started = guard.watched(self._clipping_started, self._broken)
        self.values_clipped = guard.watched(self._values_clipped, self._broken)
        self.step_started = guard.watched(self._step_started, self._broken)
        self.step_done = guard.watched(self._step_done, self._broken)
        self.batch_loaded = guard.watched(self._batch_loaded, self._broken)

    # -- beginning -------------------------------------------------------------------------------

    def consider(self, stream: Stream, batches: list[TrainBatch], *, clipped: bool) -> None:
        """Take the steps that follow as long as they are like the last one, if that was plain."""
        if stream.steps < self._not_before or not self._run.records:
            return
        pattern = pattern_of(self._capture, stream, batches, clipped=clipped)
        keepers = self._keepers_for(pattern) if pattern is not None else None
        if pattern is None or keepers is None:
            return
        quiet = self._run.quiet_epochs(stream) if pattern.each else math.inf
        until = min([pattern.until, stream.steps + quiet, *(keeper.until for keeper in keepers)])
        if until > stream.steps and quiet >= _WORTH_IT:
            self._until = until
            self._begin(pattern, keepers)

    def _begin(self, pattern: Pattern, keepers: list[Keeper]) -> None:
        self._pattern = pattern
        # Most metrics have nothing to do with steps that are all alike.
        self._keepers = [keeper for keeper in keepers if type(keeper) is not Keeper]
        self._at_loss = [keeper for keeper in keepers if keeper.wants_loss]
        self._at_step = [k for k in keepers if k.wants_step and not k.timed]
        self._timed = next((k for k in keepers if k.wants_step and k.timed), None)
        self._at_clipping = [keeper for keeper in keepers if keeper.wants_clipping]
        self._clipped: list[int] | None = None
        self._at_batch = [keeper for keeper in keepers if keeper.wants_batch]
        assert pattern.stream.optimizer is not None
        self.optimizer = pattern.stream.optimizer
        self._thread = get_ident()
        self._pass = pattern.loader_pass
        self._loader = pattern.loader
        self._roots = pattern.roots
        # What the epoch's variable must hold at the next backward.
        self._number = pattern.shown.number + pattern.each if pattern.shown is not None else None
        self._places: Places | None = None
        self._value: float | None = None
        self._call: Alike | None = None
        self._read: Callable[[FrameType], Any] | None = None
        self._way: frames.Way | None = None
        self._began = self._first = pattern.stream.steps
        self._count = 0
        # Seconds of ours that the meter has not been told of.
        self._own = 0.0
        self._ends: list[float] = []
        self._losses: list[float] = []
        self._due = self._run.due()
        if not self._capture.evaluation.held_out.any():
            # Else a call of the model, and nothing but it, may be an evaluation.
            self._capture.models.rest()
        self.stage = IDLE

    # -- events ----------------------------------------------------------------------------------

    def _batch_loaded(self, loader: Any, batch: Any, seconds: float) -> bool:
        began = perf_counter()
        known = self._loader
        if known is None or known() is not loader:
            return False
        if get_ident() != self._thread:
            return False
        for keeper in self._at_batch:
            self._calling = keeper
            keeper.batch(seconds)
        self._calling = None
        if self._pass is not None:
            self._pass.batches += 1
        self._capture.evaluation.batch_in_training(batch)
        self._own += perf_counter() - began
        return True

    def _loss_computed(self, kernel: Any, loss: Any, args: Any, kwargs: Any) -> bool:
        began = perf_counter()
        call = self._call
        if call is None and (call := self._learn_call(kernel, loss, args, kwargs)) is None:
            return False
        if kwargs or get_ident() != self._thread or not call.is_again(kernel, loss, args):
            return False
        frame = call.way.innermost(_INWARDS) if self.optimizer() is not None else None
        if frame is None or (call.whole and call.way.leads_on(frame) is None):
            return False
        for known in self._roots:
            root = known()
            if root is None or not root.training:
                return False
        prediction, target = args[0], args[1]
        node, source = loss.grad_fn, prediction.grad_fn
        leads_back = node is not None and source is not None
        value = self._taken_value(loss) if leads_back else False
        if value is False:
            return False
        self._value, self._frame = value, id(frame)
        self._version = loss._version
        self._node = node._sequence_nr()
        self._prediction_key = source._sequence_nr()
        self._target_key = target.data_ptr()
        self._in_hand(prediction, target)
        for keeper in self._at_loss:
            self._calling = keeper
            keeper.loss(prediction, target)
        self._calling = None
        self.stage = LOSS
        self._own += perf_counter() - began
        return True

    def _taken_value(self, loss: Any) -> float | Literal[False] | None:
        """Return a finite loss, None for one that is kept on its device, False for any other."""
        places = self._places
        if places is None:
            value = self._value_of(loss)
            return value if -math.inf < value < math.inf else False
        if graphs.capturing or not places.is_current:
            return False
        places.put(self._count, loss)
        return None

    def _learn_call(self, kernel: Any, loss: Any, args: Any, kwargs: Any) -> Alike | None:
        """Look closely at the first criterion call: those that follow are compared with it.

        What is traced or transformed later on has another way outwards than this one.
        """
        if kwargs or not self._run.undisturbed() or get_ident() != self._thread:
            return None
        event = called(kernel, loss, args, {})
        if kernel.target != 1 or not self._pattern.is_computed_by(event):
            return None
        if self._scope.site() is not self._pattern.call_site:
            return None
        if self._pattern.on_device and not self._find_places(loss):
            return None
        call = Alike(kernel, loss, args, frames.Way(self._scope.boundary, None, _INWARDS + 1))
        if not call.is_again(kernel, loss, args):
            return None
        for keeper in self._at_loss:
            self._calling = keeper
            keeper.prepare(event)
        self._calling = None
        self._call = call
        return call

    def _find_places(self, loss: Any) -> bool:
        """Have room for the losses of many steps on their device; False where they are at home."""
        if loss.is_cpu and not self._transfer.carries(loss):
            return False
        places = self._places_before
        if places is None or places.device != loss.device or not places.is_current:
            places = self._places_before = self._transfer.row(loss.device, MOST_STEPS)
        self._places = places
        return True

    def _backward_started(self, tensor: Any, gradient: Any, kwargs: Any) -> bool:
        began = perf_counter()
        if (
            type(tensor) is not Tensor
            or gradient is not None
            or (node := tensor.grad_fn) is None
            or node._sequence_nr() != self._node
            or tensor._version != self._version
            or kwargs.get("grad_variables") is not None
        ):
            return False
        way = self._way
        if way is None and (way := self._learn_way()) is None:
            return False
        frame = way.innermost(_INWARDS)
        if frame is None or (marked := way.leads_on(frame)) is None:
            return False
        if id(frame) != self._frame and not self._call.whole:  # type: ignore[union-attr]
            return False
        if self._read is not None:
            number = self._read(marked)
            if number is not self._number and (type(number) is not int or number != self._number):
                return False
            if self._pattern.each and number is not None:
                self._number = number + 1
        if self._pass is not None:
            self._pass.calls += 1
        self.stage = BACKWARD
        self._own += perf_counter() - began
        return True

    def _learn_way(self) -> frames.Way | None:
        """Return the way to the settled steps' place, where backward is called there."""
        pattern, call = self._pattern, self._call
        if self._scope.site() is not pattern.site or call is None:
            return None
        way = frames.Way(self._scope.boundary, pattern.depth, _INWARDS + 1)
        frame = way.innermost(_INWARDS + 1)
        marked = way.leads_on(frame) if frame is not None else None
        if frame is None or marked is None:
            return None
        if pattern.variable is not None:
            self._read = frames.reader(marked.f_code, pattern.variable)
        # Then what is outside of the frame needs a look once only.
        call.whole = not (way.code is call.way.code and id(frame) == self._frame)
        self._way = way
        return way

    def _clipping_started(self, parameters: Callable[[], Any]) -> bool:
        return self._clipping(parameters, self._are_clipped)

    def _values_clipped(self, gradients: Callable[[], Any]) -> bool:
        return self._clipping(gradients, self._have_gradients)

    def _clipping(
        self,
        read: Callable[[], Any],
        are_clipped: Callable[[list[dict[str, Any]], list[int]], bool],
    ) -> bool:
        """Take a clipping of what `read` gives: reading it may fail, and is watched here."""
        began = perf_counter()
        optimizer = self.optimizer()
        if not self._pattern.clipped or optimizer is None:
            return False
        tensors = read()
        # A list says the same however often it is looked at.
        if type(tensors) is not list:
            return False
        if not are_clipped(optimizer.param_groups, [id(tensor) for tensor in tensors]):
            return False
        for keeper in self._at_clipping:
            self._calling = keeper
            taken = keeper.clipping(optimizer.param_groups)
            self._calling = None
            if not taken:
                return False
        self.stage = CLIPPED
        took = perf_counter() - began
        # What gradient norms take, nearly all of it, the budget must know to the point.
        if (timed := self._timed) is not None and timed.wants_clipping:
            self._meter.exact[timed.timed] += took
            self._meter.seconds += took
        else:
            self._own += took
        return True

    def _are_clipped(self, groups: list[dict[str, Any]], given: list[int]) -> bool:
        """Whether these parameters, by their `id`, are clipped at each of the settled steps."""
        if self._clipped is None:
            held = {id(p) for group in groups for p in group["params"]}
            if held.isdisjoint(given):
                return False
            self._clipped = given
        return given == self._clipped

    @staticmethod
    def _have_gradients(groups: list[dict[str, Any]], given: list[int]) -> bool:
        """Whether these are the gradients, by their `id`, of all parameters that have one."""
        held = [p.grad for group in groups for p in group["params"]]
        return given == [id(gradient) for gradient in held if gradient is not None]

    def _step_started(self, optimizer: Any, closure: bool) -> bool:  # noqa: FBT001 - as it is seen
        began = perf_counter()
        step = self._first + self._count
        if (
            closure
            or step >= self._until
            or (self.stage == CLIPPED) is not self._pattern.clipped
            or (self._places is not None and (graphs.capturing or not self._places.is_current))
            or optimizer is not self.optimizer()
            or (
                self._pass is not None
                and self._pass.batches == self._pass.length
                and not self._run.lets_last_batch_pass(self._pattern.stream)
            )
        ):
            return False
        groups = optimizer.param_groups
        if len(groups) != self._pattern.groups:
            return False
        for keeper in self._at_step:
            self._calling = keeper
            if not keeper.step(groups, step):
                self._calling = None
                return False
        if (timed := self._timed) is not None:
            self._calling = timed
            before = perf_counter()
            taken = timed.step(groups, step)
            took = perf_counter() - before
            self._meter.exact[timed.timed] += took
            self._meter.seconds += took
            self._own -= took
            if not taken:
                self._calling = None
                return False
        self._calling = None
        self.stage = STEP
        self._own += perf_counter() - began
        return True

    def _step_done(self, optimizer: Any) -> bool:
        began = perf_counter()
        if optimizer is not self.optimizer():
            return False
        if self._value is not None:
            self._losses.append(self._value)
        self._ends.append(began)
        self._count += 1
        self.stage = IDLE
        self._meter.latest = ended = perf_counter()
        self._own += ended - began
        if began >= self._due or self._count >= MOST_STEPS:
            self._run.flush_due()
            self._due = self._run.due()
            self._meter.latest = perf_counter()
            self._meter.seconds += self._meter.latest - ended
        return True

    # -- handing on ------------------------------------------------------------------------------

    def fold(self) -> None:
        """Let the interpreter and the metrics have all whole steps, the buffer their records."""
        count = self._count
        if self.stage == OFF or not count:
            return
        meter = self._meter
        meter.add(_COST, self._own)
        meter.seconds += self._own
        self._own = 0.0
        began, others = perf_counter(), sum(meter.exact.values())
        with self._places.on_stream() if self._places is not None else nullcontext():
            self._fold(count)
        # Whoever asked for it counts these seconds; what part they are is known here.
        meter.add(_COST, perf_counter() - began + others - sum(meter.exact.values()))

    def _fold(self, count: int) -> None:
        stream = self._pattern.stream
        losses: Any = self._losses
        ends = self._ends
        if self._places is not None:
            losses = self._transfer.list_of(self._places.up_to(count))
            if self.stage >= LOSS:
                # That of the step under way, which now is the first.
                self._places[0].copy_(self._places[count])
        # One clock in the loop; the other one's place beside it now.
        ahead = time.time() - perf_counter()
        block = Block(self._first, [ahead + end for end in ends])
        passes = self._passes(block) if self._pattern.each else None
        self._losses, self._ends = [], []
        self._first, self._count = self._first + count, 0
        steps = Steps(block, losses, ends, passes)
        for keeper in list(self._keepers):
            self._guard.call(keeper.part, _fold_into, keeper, steps)
            if keeper.part in self._guard.failed:
                self._keepers.remove(keeper)
        self.taken += count
        self._capture.training.settled_steps(
            stream, count, None if passes is None else self._pattern.shown
        )
        self._meter.steps += count
        self._run.add_block(block, stream)
        if passes is not None:
            self._run.epochs_passed(stream, count)
            if len(passes):
                self._run.add_block(passes, stream)

    def _passes(self, block: Block) -> Block:
        """Return the passes of all steps but the last, and end the one that was running before."""
        stream, shown = self._pattern.stream, self._pattern.shown
        assert stream.epoch is not None and shown is not None  # noqa: PT018 - of each pattern
        count, epoch = len(block), stream.epoch + 1
        self._capture.training.epochs.end_pass(stream, block.times[0])
        block.hidden.append(("autotrack/epoch", range(epoch, epoch + count)))
        self._pattern.shown = shown._replace(number=shown.number + count)
        passes = Block(epoch, block.times[1:])
        passes.hidden.append(("autotrack/step", range(block.x + 1, block.x + count)))
        return passes

    def hand_back(self) -> None:
        """Leave everything to the interpreter, a step that is under way included."""
        if self.stage == OFF:
            return
        self.fold()
        self._meter.seconds += self._own
        stage, self.stage = self.stage, OFF
        self._capture.models.rest_no_more()
        with self._places.on_stream() if self._places is not None else nullcontext():
            call = self._unfinished_call() if stage >= LOSS else None
            for keeper in self._keepers:
                self._guard.call(keeper.part, keeper.end, call, in_step=stage == STEP)
        self._places = None
        if self._pattern.each and stage >= BACKWARD:
            shown = self._pattern.shown
            self._pattern.shown = shown._replace(number=shown.number + 1)  # type: ignore[union-attr]
        self._capture.training.resume(self._pattern, call, stage)
        self._keepers = []
        self._rest()

    def _rest(self) -> None:
        """Steps that are never alike for long are not worth beginning with: wait ever longer."""
        lasted = self._first - self._began
        self._patience = 0 if lasted >= _WORTH_IT else min(2 * self._patience + 1, MOST_STEPS)
        self._not_before = self._first + self._patience

    def _unfinished_call(self) -> Any:
        value: Value | None = self._value
        if value is None:
            assert self._places is not None
            value = self._value_of(self._places[0])
        return self._pattern.call(value, self._node, self._prediction_key, self._target_key)

    def _broken(self, error: Exception) -> bool:
        """A part of ours failed: a metric alone, or all that is captured."""
        keeper, self._calling = self._calling, None
        if keeper is None:
            self.stage = OFF
            self._guard.call("models", self._capture.models.rest_no_more)
            self._guard.switch_off("capture", error)
            return False
        self._guard.switch_off(keeper.part, error)
        self._keepers.remove(keeper)
        self._guard.call("capture", self.hand_back)
        return False


def _fold_into(keeper: Keeper, steps: Steps) -> None:
    """Let a keeper add its columns; one of another length would break the record of them all."""
    blocks = [block for block in (steps.block, steps.passes) if block is not None]
    places = [(own, len(own), len(b)) for b in blocks for own in (b.columns, b.hidden)]
    keeper.fold(steps)
    wrong = [
        f"{tag} has {len(values)} values where {length} are due"
        for columns, before, length in places
        for tag, values in columns[before:]
        if not isinstance(values, Pending) and len(values) != length
    ]
    if wrong:
        for columns, before, _ in places:
            del columns[before:]
        raise ValueError(wrong[0])
