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
from typing import TYPE_CHECKING, Any, NamedTuple, Protocol
from weakref import ref

from torch import Tensor

from autotrack import frames, graph
from autotrack.block import Block
from autotrack.capture.alike import Alike
from autotrack.capture.lanes import Lane, Lanes
from autotrack.capture.pattern import pattern_of
from autotrack.capture.streams import gradient_marks
from autotrack.capture.weights import Weights
from autotrack.context import BACKWARD, CLIPPED, DONE, IDLE, LOSS, OFF, STEP
from autotrack.keeper import Keeper, Steps
from autotrack.observers.criterion import called
from autotrack.pending import Pending

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence
    from types import FrameType

    from autotrack.capture.capture import Capture
    from autotrack.capture.pattern import Pattern
    from autotrack.capture.streams import Stream
    from autotrack.cost import Meter
    from autotrack.events import CriterionCall, GradientsAsked, TrainBatch
    from autotrack.guard import Guard
    from autotrack.loopscope import LoopScope
    from autotrack.transfer import Transfer

#: Steps that are folded together at most; of several backward calls each, so many of these.
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


#: A criterion call of the step under way: the number of its node, and what it compared.
_Made = tuple[int, int, int]


class _Node(NamedTuple):
    """Such a call where a graph is read."""

    node: int
    divisor: float = 1.0


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
        self._lanes_of = Lanes(capture.criteria.value_of, transfer, MOST_STEPS)
        self._keepers: list[Keeper] = []
        self._patience = self._not_before = self._count = 0
        #: How many steps have taken the short path.
        self.taken = 0
        capture.training.settles = self.consider
        self._in_hand, self._remember = capture.criteria.in_hand, capture.criteria.remember
        self._calling: Keeper | None = None
        #: How many backward calls of the step under way have begun.
        self.gathered = 0
        #: What a backward call that completes leads to: more of them, or a step.
        self.after = DONE
        #: The one optimizer of the settled steps.
        self.optimizer: Callable[[], Any] = lambda: None
        self.loss_computed = guard.watched(self._loss_computed, self._broken)
        self.loss_scaled = guard.watched(self._loss_scaled, self._broken)
        self.scaler_step_done = guard.watched(self._scaler_step_done, self._broken)
        self.backward_started = guard.watched(self._backward_started, self._broken)
        self.gradients_asked = guard.watched(self._gradients_asked, self._broken)
        self.clipping_started = guard.watched(self._clipping_started, self._broken)
        self.values_clipped = guard.watched(self._values_clipped, self._broken)
        self.stepped_by_hand = guard.watched(self._stepped_by_hand, self._broken)
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
        self._at_loss = [
            [keeper for keeper in keepers if keeper.wants_loss and keeper.call == place]
            for place in range(len(pattern.calls))
        ]
        self._at_step = [k for k in keepers if k.wants_step and not k.timed]
        self._timed = next((k for k in keepers if k.wants_step and k.timed), None)
        self._at_clipping = [keeper for keeper in keepers if keeper.wants_clipping]
        self._clipped: list[int] | None = None
        self._at_batch = [keeper for keeper in keepers if keeper.wants_batch]
        self._by_hand = Weights(pattern.stream.leaves) if pattern.by_hand else None
        self.optimizer = pattern.stream.optimizer or (lambda: self._by_hand)
        # Other optimizers, whose weights these steps do not reach: their gradients stay.
        streams = self._capture.training.streams
        self._others = [stream for stream in streams if stream is not pattern.stream]
        self._untouched = [gradient_marks(stream) for stream in self._others]
        self._thread = get_ident()
        self._pass = pattern.loader_pass
        self._loader = pattern.loader
        self._roots = pattern.roots
        # What the epoch's variable must hold at the next backward.
        self._number = pattern.shown.number + pattern.each if pattern.shown is not None else None
        # The criterion calls of each backward, as they were the first time.
        self._calls: list[Alike] = []
        self._expected, self._alone = len(pattern.calls), pattern.is_plain
        self._scaler = pattern.scaler
        # Whether backward is called on the very result of a criterion.
        self._bare = self._alone and self._scaler is None
        # What the scaler made of the loss whose backward comes next, and that loss's node.
        self._scaled: tuple[ref[Tensor], Any] | None = None
        self._sums = any(called.reduction == "sum" for called in pattern.calls)
        # Whether that is all there is to a step.
        self._lone = self._alone and pattern.backwards == 1
        self._most = max(1, MOST_STEPS // pattern.backwards)
        # Of the backward to come how many were made; and all that were made since the last step.
        self._at = self.gathered = 0
        self._made: list[_Made] = []
        # The frame, by its `id`, in which they were made; 0 where each call's whole way is looked
        # at.
        self._frame = 0
        # The losses of each call, and where backward is called on anything else that is last.
        self._lanes: list[Lane] = []
        self._common = _in_common([(c.prediction_key, c.target_key) for c in pattern.calls])
        self._held = _with_gradient(pattern.stream) if pattern.backwards > 1 else None
        self._read: Callable[[FrameType], Any] | None = None
        self._way: frames.Way | None = None
        self._began = self._first = pattern.stream.steps
        self._count = 0
        # Seconds of ours that the meter has not been told of.
        self._own = 0.0
        self._ends: list[float] = []
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
        at, calls = self._at, self._calls
        call = calls[at] if at < len(calls) else self._learn_call(kernel, loss, args, kwargs)
        if call is None or kwargs or get_ident() != self._thread:
            return False
        frame = call.way.innermost(_INWARDS) if self.optimizer() is not None else None
        if frame is None or not call.is_again(kernel, loss, args):
            return False
        place, whole = id(frame), call.whole
        if call.way.leads_on(frame) is None if whole else self._frame not in (0, place):
            return False
        for known in self._roots:
            root = known()
            if root is None or not root.training:
                return False
        prediction, target = args[0], args[1]
        node, source = loss.grad_fn, prediction.grad_fn
        if node is None or source is None or not self._lanes[at].put(loss):
            return False
        self._frame = self._frame if whole else place
        self._version, self._node = loss._version, node._sequence_nr()
        if self._lone:
            self._in_hand(prediction, target)
        else:
            self._remember(prediction, target, anew=not self._made)
        for keeper in self._at_loss[at]:
            self._calling = keeper
            keeper.loss(prediction, target)
        self._calling = None
        self._made.append((self._node, source._sequence_nr(), target.data_ptr()))
        self._at = at + 1
        self.stage = LOSS
        self._own += perf_counter() - began
        return True

    def _learn_call(self, kernel: Any, loss: Any, args: Any, kwargs: Any) -> Alike | None:
        """Look closely at the first criterion call: those that follow are compared with it.

        What is traced or transformed later on has another way outwards than this one.
        """
        at = self._at
        if at == self._expected or kwargs or get_ident() != self._thread:
            return None
        event, known = called(kernel, loss, args, {}), self._pattern.calls[at]
        if kernel.target != 1 or not known.is_made_by(event) or not self._run.undisturbed():
            return None
        if self._scope.site() is not known.site:
            return None
        way = frames.Way(self._scope.boundary, None, _INWARDS + 1)
        call = Alike(kernel, loss, args, way)
        call.frame = id(way.innermost(_INWARDS + 1))
        lane = self._lanes_of.make(at, loss, on_device=self._pattern.on_device)
        if lane is None or not call.is_again(kernel, loss, args):
            return None
        self._lanes.append(lane)
        for keeper in self._at_loss[at]:
            self._calling = keeper
            keeper.prepare(event)
        self._calling = None
        self._calls.append(call)
        return call

    def _gradients_asked(self, asked: Callable[[], GradientsAsked | None]) -> bool:
        """Gradients are taken by themselves amid a loss, and not of what waits for its backward."""
        event, waiting = asked(), {node for node, *_ in self._made[-self._at :]}
        return event is None or not graph.reached(event.nodes, waiting)

    def _loss_scaled(self, scaler: Any, loss: Any, scaled: Any) -> bool:
        """Take a loss where it is scaled: of what is backwarded then, its graph says no more."""
        began = perf_counter()
        if (
            scaler is not self._scaler
            or self._scaled is not None
            or type(loss) is not Tensor
            or (node := loss.grad_fn) is None
            or self._at != self._expected
            or (self._alone and node._sequence_nr() != self._node)
            or (self._alone and loss._version != self._version)
            or not (self._alone or self._is_made_again(loss, node))
        ):
            return False
        self._scaled = ref(scaled), node
        self._own += perf_counter() - began
        return True

    def _backward_started(self, tensor: Any, gradient: Any, kwargs: Any) -> bool:
        began = perf_counter()
        if (
            type(tensor) is not Tensor
            or gradient is not None
            or (node := tensor.grad_fn) is None
            or self._at != self._expected
            or (self._bare and node._sequence_nr() != self._node)
            or (self._bare and tensor._version != self._version)
            or (self._scaler is not None and not self._is_scaled(tensor))
            or kwargs.get("grad_variables") is not None
        ):
            return False
        way = self._way
        if way is None and (way := self._learn_way()) is None:
            return False
        frame = way.innermost(_INWARDS)
        marked = way.leads_on(frame) if frame is not None else None
        if marked is None or self._frame not in (0, id(frame)):
            return False
        if self._read is not None:
            number = self._read(marked)
            if number is not self._number and (type(number) is not int or number != self._number):
                return False
            if self._pattern.each and number is not None:
                self._number = number + 1
        if not self._lone and not self._is_like_others(tensor, node):
            return False
        if self._pass is not None:
            self._pass.calls += 1
        self._at = self._frame = 0
        self._scaled = None
        self.gathered += 1
        self.after = DONE if self.gathered == self._pattern.backwards else IDLE
        if self._by_hand is not None:
            self._by_hand.backward_started(tensor)
            self.after = STEP
        self.stage = BACKWARD
        self._own += perf_counter() - began
        return True

    def _is_like_others(self, tensor: Any, node: Any) -> bool:
        """Whether backward is called again as at steps that are more than one criterion's call."""
        if self.gathered and self._is_cleared():
            return False
        if not self._expected and not self._is_at_home():
            return False
        if self._pattern.drawn and self._capture.evaluation.in_hand.size != self._pattern.size:
            return False
        return self._alone or self._scaler is not None or self._is_made_again(tensor, node)

    def _is_scaled(self, tensor: Tensor) -> bool:
        return self._scaled is not None and self._scaled[0]() is tensor

    def _is_at_home(self) -> bool:
        """Whether the models train here: what else the first criterion call has said."""
        if get_ident() != self._thread or self.optimizer() is None:
            return False
        roots = [known() for known in self._roots]
        return all(root is not None and root.training for root in roots)

    def _is_made_again(self, tensor: Tensor, node: Any) -> bool:
        """Whether a loss is made of the last calls as those of the settled steps are; keep it."""
        pattern, made = self._pattern, self._made[-self._expected :]
        calls = {node: _Node(node) for node, *_ in made}
        reading = graph.read(node, calls)
        if len(reading.parts) != len(made) or tensor.dim():
            return False
        if self._expected > 1 and _in_common([keys for _, *keys in made]) != self._common:
            return False
        factor = graph.factor_of(reading, calls) if self._sums else None
        if (reading.divisor, reading.exact, factor) != pattern.kind.as_read:
            return False
        if len(self._lanes) == self._expected:
            lane = self._lanes_of.make(self._expected, tensor, on_device=pattern.on_device)
            if lane is None:
                return False
            self._lanes.append(lane)
        return self._lanes[-1].put(tensor)

    def _is_cleared(self) -> bool:
        """Whether the gradients of the step under way were discarded by hand."""
        held = self._held() if self._held is not None else None
        return held is None or held.grad is None

    def _learn_way(self) -> frames.Way | None:
        """Return the way to the settled steps' place, where backward is called there."""
        pattern = self._pattern
        if self._scope.site() is not pattern.site or not self._run.undisturbed():
            return None
        way = frames.Way(self._scope.boundary, pattern.depth, _INWARDS + 1)
        frame = way.innermost(_INWARDS + 1)
        marked = way.leads_on(frame) if frame is not None else None
        if frame is None or marked is None:
            return None
        if pattern.variable is not None:
            self._read = frames.reader(marked.f_code, pattern.variable)
        for call in self._calls:
            # Then what is outside of the frame needs a look once only.
            call.whole = not (way.code is call.way.code and id(frame) == call.frame)
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
        if type(tensors) is not list or self._is_still_scaled():
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

    def _is_still_scaled(self) -> bool:
        """Whether what is clipped is not unscaled yet."""
        if self._scaler is None:
            return False
        return self._capture.training.scale_of(self._pattern.stream) is not None

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
            or (self._pattern.on_device and not self._lanes[0].is_usable)
            or (self._others and self._untouched != [gradient_marks(s) for s in self._others])
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
        self._ends.append(began)
        self._count += 1
        self._made.clear()
        self.gathered = 0
        if self._scaler is not None:
            self._pattern.stream.stepped = True
        self.stage = IDLE
        self._meter.latest = ended = perf_counter()
        self._own += ended - began
        if began >= self._due or self._count >= self._most:
            self._run.flush_due()
            self._due = self._run.due()
            self._meter.latest = perf_counter()
            self._meter.seconds += self._meter.latest - ended
        return True

    def _scaler_step_done(self, scaler: Any, optimizer: Any) -> bool:
        """A scaler has let the optimizer step, which is over."""
        stream = self._pattern.stream
        known = scaler is self._scaler and optimizer is self.optimizer() and stream.stepped
        if known:
            stream.stepped = False
        return known

    def _stepped_by_hand(self) -> bool:
        """A backward call has run that is a step, if it brought all its weights a gradient."""
        weights = self._by_hand
        if weights is None or not weights.have_gradients():
            return False
        taken = self._step_started(weights, closure=False)
        weights.param_groups = []
        return taken and self._step_done(weights)

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
        with self._lanes[0].on_stream():
            self._fold(count)
        # Whoever asked for it counts these seconds; what part they are is known here.
        meter.add(_COST, perf_counter() - began + others - sum(meter.exact.values()))

    def _fold(self, count: int) -> None:
        pattern, ends = self._pattern, self._ends
        stream, backwards = pattern.stream, pattern.backwards
        numbers = [lane.take(count * backwards) for lane in self._lanes]
        # One clock in the loop; the other one's place beside it now.
        ahead = time.time() - perf_counter()
        block = Block(self._first, [ahead + end for end in ends])
        passes = self._passes(block) if pattern.each else None
        self._ends = []
        self._first, self._count = self._first + count, 0
        steps = Steps(block, numbers[-1], ends, passes, numbers[: self._expected])
        for keeper in list(self._keepers):
            self._guard.call(keeper.part, _fold_into, keeper, steps)
            if keeper.part in self._guard.failed:
                self._keepers.remove(keeper)
        self.taken += count
        self._capture.training.settled_steps(pattern, count)
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
        pattern = self._pattern
        if pattern.each and stage >= BACKWARD:
            shown = pattern.shown
            pattern.shown = shown._replace(number=shown.number + 1)  # type: ignore[union-attr]
        with self._lanes[0].on_stream() if self._lanes else nullcontext():
            batches, calls = self._under_way()
            if self._scaled is not None:
                value = self._lanes[-1].value(self.gathered)
                self._capture.training.scaled_before(*self._scaled, value)
                # It keeps a graph alive.
                self._scaled = None
            made = [call for batch in batches for call in batch.parts] + calls
            for keeper in self._keepers:
                self._guard.call(keeper.part, keeper.end, made, in_step=stage == STEP)
        if self._by_hand is not None and stage == BACKWARD:
            self._capture.training.by_hand.under_way(self._by_hand.marks, self._by_hand.loss)
        others = {id(s): marks for s, marks in zip(self._others, self._untouched, strict=True)}
        self._capture.training.resume(batches, calls, pattern, stage, others)
        self._keepers = []
        self._rest()

    def _under_way(self) -> tuple[list[TrainBatch], list[CriterionCall]]:
        """Return the backward calls of a step that is under way, and what was computed since."""
        pattern, each = self._pattern, self._expected
        calls = [
            pattern.calls[place % each].call(self._lanes[place % each].value(place // each), *one)
            for place, one in enumerate(self._made)
        ]
        batches = [
            pattern.batch(calls[number * each :][:each], self._lanes[-1].value(number))
            for number in range(self.gathered)
        ]
        return batches, calls[self.gathered * each :]

    def _rest(self) -> None:
        """Steps that are never alike for long are not worth beginning with: wait ever longer."""
        lasted = self._first - self._began
        self._patience = 0 if lasted >= _WORTH_IT else min(2 * self._patience + 1, MOST_STEPS)
        self._not_before = self._first + self._patience

    def _broken(self, error: Exception) -> bool:
        """A part of ours failed: a metric alone, or all that is captured."""
        keeper, self._calling = self._calling, None
        if keeper is None:
            self.stage, self._scaled = OFF, None
            self._guard.call("models", self._capture.models.rest_no_more)
            self._guard.switch_off("capture", error)
            return False
        self._guard.switch_off(keeper.part, error)
        self._keepers.remove(keeper)
        self._guard.call("capture", self.hand_back)
        return False


def _with_gradient(stream: Stream) -> ref[Any] | None:
    """Return a parameter that has a gradient: as long as it has, not all were discarded."""
    found = next((p for p in stream.parameters() if p.grad is not None), None)
    return None if found is None else ref(found)


def _in_common(calls: Sequence[Sequence[int]]) -> list[int]:
    """Return, as places of the first ones, which calls have predictions and targets in common."""
    return [keys.index(key) for keys in zip(*calls, strict=True) for key in keys]


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
