"""Training: from backward calls and optimizer steps to numbered steps, epochs and passes."""

from __future__ import annotations

import time
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any
from weakref import ref

from autotrack import events as e
from autotrack import graph
from autotrack.capture import discovery
from autotrack.capture.batches import Batches
from autotrack.capture.byhand import ByHand, Maybe
from autotrack.capture.counted import Counted
from autotrack.capture.epochs import Epochs
from autotrack.capture.evaluation import Position
from autotrack.capture.moved import Before
from autotrack.capture.objective import Objective
from autotrack.capture.optimizers import Optimizers, is_rehearsed
from autotrack.capture.sites import Sites
from autotrack.capture.streams import Stream, gradient_marks, settle_names
from autotrack.capture.unclaimed import MOST_UNCLAIMED, Unclaimed
from autotrack.context import BACKWARD, CLIPPED, STEP
from autotrack.row import Row

if TYPE_CHECKING:
    from collections.abc import Callable

    from autotrack.capture.capture import Capture
    from autotrack.capture.pattern import Pattern
    from autotrack.loopscope import LoopScope, Shown, Site
    from autotrack.row import Value

# By the time a stream has stepped so often, the others of the same loop have stepped too.
_SETTLED_BY = 10
# Looking below a loss costs more than reading it: a place that never leads to a step is let be.
_MOST_LOOKS = 16


@dataclass(slots=True, eq=False, repr=False)
class Seen:
    """What the coverage tells about training."""

    backwards: int = 0
    losses: int = 0
    criteria: int = 0
    skipped: int = 0
    # Steps before which the gradients of every backward had been cleared.
    cleared: int = 0
    # Backward calls in `eval()` that no step came after.
    aside: int = 0
    # Backward calls outside of every loop to weights that no optimizer holds, and those to such
    # weights that nothing moved.
    once: int = 0
    idle: int = 0
    # Steps whose gradients came after the clipping.
    clipped_early: int = 0
    functions: set[str] = field(default_factory=set)
    # Whether a loss was anything but what one criterion call gave.
    composed: bool = False
    cut_short: list[str] = field(default_factory=list)


class Training:
    """The training side of the capture."""

    def __init__(
        self,
        capture: Capture,
        scope: LoopScope,
        publish: Callable[[Any], None],
        emit_row: Callable[[Row, Any], None],
        value_of: Callable[[Any], Value | None],
    ) -> None:
        self._capture = capture
        self._scope = scope
        self._publish = publish
        self._emit_row = emit_row
        self.optimizers = Optimizers(scope, capture.models)
        self.epochs = Epochs(capture, scope, publish, emit_row)
        #: All streams, whether or not they have stepped.
        self.streams = self.optimizers.streams
        self.objective = Objective()
        self.seen = Seen()
        self.snapshot_due: Callable[[Stream, bool], bool] = lambda *_, **__: False
        #: Told of each step, with the backward calls that fed it: those that follow may be like it.
        self.settles: Callable[..., object] = lambda *_, **__: None
        #: Streams of which somebody wants to hear before their next backward.
        self.looked_at: set[Stream] = set()
        #: Weights that no optimizer holds.
        self.by_hand = ByHand()
        self._value_of = value_of
        self._batches = Batches(capture.criteria, value_of)
        #: What call sites of backward have taught.
        self.sites = Sites()
        self._counted = Counted(self.sites, publish)
        self._unclaimed = Unclaimed()
        # Whether an evaluation has begun since the last backward.
        self._evaluated = False
        # The tensors below the loss in hand, where its call site has led to no step yet.
        self._leaves: list[Any] | None = None
        self._depth = 0
        self._batch: e.TrainBatch | None = None
        # Streams that have stepped inside the backward that runs.
        self._stepped_inside: list[Stream] = []
        # A stream whose optimizer has only just shown itself.
        self._adopted: Stream | None = None
        self._marks: list[list[tuple[int, int]]] = []
        # Call sites (by identity, they live on) whose graph the metrics were shown.
        self._read: set[int] = set()
        # The last backward call if it was none of training's, and the sites that were taken for
        # such though a step came next.
        self._aside: Site | None = None
        self._trains_aside: set[int] = set()
        self._looked = 0
        # The person's criteria that have become known after calls inside of them were read: what
        # the step that these feed says about the objective is no more than likely.
        self._half_seen: set[str] = set()
        self._snapshot = False
        self._main: Stream | None = None
        # The stream whose step is under way, and the optimizers that it lets step inside.
        self._stepping: Stream | None = None
        self._inner: list[ref[Any]] = []
        self.loss_scaled = self._batches.loss_scaled
        self.scaled_before = self._batches.keep
        capture.evaluation.connect(self.evaluation_begins, self.position_here)
        capture.evaluation.objective = self.objective
        capture.criteria.sums = self.objective.sums

    # -- backward --------------------------------------------------------------------------------

    def backward_started(self, event: e.BackwardStarted) -> None:
        """Read the loss while its graph is alive; nested calls belong to the outer."""
        self._depth += 1
        if self._depth > 1:
            return
        evaluation = self._capture.evaluation
        evaluation.trains_after_all()
        self._leave_behind()
        self._evaluated = False
        site, shown = self._scope.site_in_epoch(loader_based=evaluation.last_loader is not None)
        self._leaves = self._leaves_below(event, site)
        if self.by_hand.maybe is not None:
            self._leaves = self._leaves_after(self._leaves, event, site)
        self._aside = site if self._is_aside(site) else None
        unheld = self._aside is None and self._is_of_no_optimizer(site)
        if self._aside is not None or (unheld and self._only_shows(site)):
            self.seen.aside += self._aside is not None
            nodes = [tensor.grad_fn for tensor in event.tensors]
            self._capture.criteria.gradients_asked(e.GradientsAsked(nodes))
            return
        again = self.epochs.uses_batch_again(site)
        in_hand = evaluation.in_hand
        size = in_hand.size_in_training(again=again)
        batch = self._batches.read(event, site, size, in_hand.drawn)
        self._capture.backward_read(batch)
        if again and batch.size is None:
            # How many samples there were in it nobody remembers.
            batch.reduction = "mixed"
        self._batch = batch
        if unheld:
            self.by_hand.maybe = Maybe(
                batch, self._leaves or [], evaluation.last_loader, shown, again
            )
        else:
            self._trains(batch, shown, again=again)
            self.by_hand.backward_ahead(site, event.tensors)
        if not unheld and id(site) not in self._read:
            self._read.add(id(site))
            self._publish(e.GraphSeen(event.tensors))
        if len(self.streams) > 1 or self._leaves is not None:
            self._marks = [gradient_marks(s) for s in self.streams]
        if self.looked_at:
            self._publish(e.BackwardAhead(self.streams))

    def _is_aside(self, site: Site) -> bool:
        """Whether a backward call is none of training's, as of an attack on what is evaluated.

        Training goes on elsewhere, the model is in `eval()`, no step has come of such a call, the
        batches are not those that training takes, and no new model is what begins to train.
        """
        if self._main is None or not self._main.steps or self.by_hand.is_so:
            return False
        if not self._capture.models.evaluating:
            return False
        loader, loaders = self._capture.evaluation.last_loader, self._capture.loaders
        current = loaders.passes.get(loader) if loader is not None else None
        return not (
            self.sites.of(site).streams
            or self.by_hand.has(site)
            or id(site) in self._trains_aside
            or self._stepping is not None
            or (current is not None and current.trained)
            or self._is_of_new_weights()
        )

    def _is_of_new_weights(self) -> bool:
        """Whether a loss leads to weights of a variable's optimizer that has not stepped yet."""
        leaves = self._leaves
        if not leaves:
            return False
        if not (holding := [s for s in self.streams if s.holds_any(leaves)]):
            self.look_around()
            holding = [s for s in self.streams if s.holds_any(leaves)]
        return bool(holding) and all(s.begins_anew or not s.steps for s in holding)

    def _belongs_after_all(self, site: Site) -> None:
        """A step came of it: its loss is lost, those that follow at the site are not."""
        self._aside = None
        self._trains_aside.add(id(site))
        self.seen.aside -= 1
        self.seen.backwards += 1

    def _leave_behind(self) -> None:
        """End what a backward call ends."""
        gone = [stream for stream in self.streams if stream.is_gone]
        for stream in gone:
            stream.looked_for = True
        # Once at a loader's start and once here; and where an optimizer is gone another may train.
        if gone or self._looked < 2:  # noqa: PLR2004
            self.look_around()
            self._looked = 2
        for stream in self.streams:
            if stream.pending:
                self._discard_forgotten_gradients(stream)
        if self._capture.monitored:
            self._capture.monitoring_ends()
        if self._stepping is not None and not self._stepping.in_closure:
            # A step that raised told no end.
            self._stepping = None
            self._inner.clear()

    def backward_done(self, event: e.BackwardDone) -> None:
        """Let the backward call wait at every stream whose parameters it reached."""
        if not self._depth:
            # Of one that told no beginning: a rehearsal.
            return
        self._depth -= 1
        if self._depth > 0:
            return
        batch, self._batch = self._batch, None
        inside, self._stepped_inside = self._stepped_inside, []
        if batch is None or not event.completed:
            self.by_hand.maybe = None
            return
        if self._capture.evaluation.under_way:
            self.evaluation_ends()
        leaves, self._leaves = self._leaves, None
        reached = self._reached(leaves) if self._marks else self.streams
        if inside:
            # What these steps left of the gradients is no part of another.
            self._wait_at([stream for stream in reached if stream not in inside], batch)
            return
        if self.by_hand.maybe is not None:
            self._wait_for_a_move(self.by_hand.maybe)
            return
        if self.by_hand.has(batch.site):
            self._step_by_hand(batch)
        elif leaves is not None or not any([s.optimizer is not None for s in reached]):  # noqa: C419 - no frame
            alone = all(stream.optimizer is None for stream in self.streams)
            if alone or leaves is not None:
                self._unclaimed.add(batch, leaves or (), alone=alone)
        self._wait_at(list(reached), batch)

    def _wait_at(self, streams: list[Stream], batch: e.TrainBatch) -> None:
        for stream in streams:
            if stream.optimizer is not None:
                self._wait(stream, batch)

    def _wait(self, stream: Stream, batch: e.TrainBatch) -> None:
        if stream.in_closure and stream.first_evaluation_over:
            return
        stream.pending.append(batch)
        # What it led to before, with no scaler to ask for, is no step of this one.
        stream.stepped = False
        del stream.pending[:-MOST_UNCLAIMED]
        stream.clipped_too_early = stream.clipped
        if batch.shown is not None or stream.epoch is not None:
            self.epochs.enter(stream, batch.shown)
        if stream in self.sites.of(batch.site).streams:
            self._counted.count(stream, batch)
        if stream.in_closure:
            self._gradients_ready(stream, clipped=False)

    def _gradients_ready(self, stream: Stream, clipped: bool, too_early: bool = False) -> None:  # noqa: FBT001, FBT002 - as the moment has them
        self._publish(e.GradientsReady(stream, clipped, self._snapshot, too_early))
        if self._snapshot:
            self._publish(e.SnapshotGradients(stream, clipped, self._snapshot, too_early))

    def _trains(self, batch: e.TrainBatch, shown: Shown | None, *, again: bool) -> None:
        """A backward is one of training's."""
        self._capture.evaluation.phases.training_at(batch.site)
        self._note(batch)
        batch.shown = self.epochs.shown(batch.site, shown, again=again)

    def _note(self, batch: e.TrainBatch) -> None:
        seen = self.seen
        seen.backwards += 1
        seen.losses += batch.value is not None
        seen.criteria += bool(batch.parts)
        alone = len(batch.parts) == 1 and batch.whole and batch.divisor >= 1
        seen.composed = seen.composed or not alone
        for part in batch.parts:
            seen.functions.add(part.function)

    def _leaves_below(self, event: e.BackwardStarted, site: Site) -> list[Any] | None:
        """Return the tensors that a loss reaches, None where its call site is known well enough."""
        known = self.sites.of(site)
        if known.streams or known.looks >= _MOST_LOOKS or self.by_hand.has(site):
            return None
        known.looks += 1
        return graph.leaves(event.tensors)

    def _reached(self, leaves: list[Any] | None) -> list[Stream]:
        """Return the streams whose gradients this backward has changed."""
        marks, self._marks = self._marks, []
        if not marks or len(marks) != len(self.streams):
            return list(self.streams)
        reached = [
            s for s, before in zip(self.streams, marks, strict=True) if gradient_marks(s) != before
        ]
        if reached or len(self.streams) > 1 or not leaves:
            return reached or self.streams[: len(self.streams) == 1]
        # Gradients that are used and gone by the end of backward leave no mark.
        return [s for s in self.streams if s.holds_any(leaves)]

    def _discard_forgotten_gradients(self, stream: Stream) -> None:
        """`p.grad = None` by hand is a `zero_grad` that nobody announces."""
        if all(p.grad is None for p in stream.parameters()):
            self._zeroed(stream)

    def look_around(self) -> None:
        """Know the optimizers and criteria that variables hold, before they are used."""
        self._looked += 1
        new = self.optimizers.look_around()
        self._half_seen |= self._capture.criteria.inside(new) if new else set()

    # -- without an optimizer --------------------------------------------------------------------

    def _only_shows(self, site: Site) -> bool:
        """Whether a backward call shows what autograd does, as lessons begin, and no more."""
        idle = self.by_hand.is_idle(site)
        once = not idle and self.by_hand.comes_once(site)
        self.seen.idle += idle
        self.seen.once += once
        return idle or once

    def _is_of_no_optimizer(self, site: Site) -> bool:
        """Whether the leaves below a loss are held by no optimizer: are they updated by hand?"""
        leaves = self._leaves
        known = (self.streams and not self.by_hand.is_so) or self.by_hand.has(site)
        if known or self._unclaimed.alone:
            return False
        if not leaves:
            return self.by_hand.is_idle(site)
        if not discovery.is_optimized(leaves):
            return True
        if self.by_hand.is_so:
            # Somebody's optimizer after all, made after the first backward.
            self.look_around()
        return False

    def _wait_for_a_move(self, maybe: Maybe) -> None:
        """Read the gradients of what may be a step by hand, while they are there."""
        maybe.before = Before(maybe.leaves)
        maybe.stream = stream = self.optimizers.by_hand(maybe.leaves)
        self.optimizers.find_model(stream)
        maybe.snapshot = self._snapshot = self._due(stream)
        self._gradients_ready(stream, clipped=False)

    def _leaves_after(
        self, leaves: list[Any] | None, event: e.BackwardStarted, site: Site
    ) -> list[Any] | None:
        """Decide what the last backward was; return the leaves that this one is to be known by."""
        self.by_hand_or_not()
        maybe = self.by_hand.maybe
        if (
            maybe is not None
            and (before := maybe.before) is not None
            and (maybe.batch.site is site or not before.is_known)
        ):
            below = graph.leaves(event.tensors) if leaves is None else leaves
            self.by_hand_or_not(followed=before.is_followed_by(below))
        self._none_by_hand()
        return None if self.by_hand.has(site) else leaves

    def by_hand_or_not(self, *, followed: bool = False) -> None:
        """Take the step that the last backward may have been, if its weights have moved since."""
        maybe = self.by_hand.maybe
        if maybe is None or maybe.before is None or maybe.stream is None:
            return
        if followed or maybe.before.has_moved():
            self.by_hand.maybe = None
            self._was_by_hand(maybe, maybe.stream)

    def _none_by_hand(self) -> None:
        """What may have been a step was none: nothing has moved by now."""
        maybe, self.by_hand.maybe = self.by_hand.maybe, None
        if maybe is not None and maybe.stream is not None:
            self.by_hand.moved_nothing(maybe.batch.site)
            self.seen.idle += 1
            self.optimizers.drop_unused(maybe.stream)
            if maybe.loader is not None:
                # What training takes next is no batch of that pass.
                self._capture.loaders.evaluate(maybe.loader)

    def _was_by_hand(self, maybe: Maybe, stream: Stream) -> None:
        batch = maybe.batch
        self.by_hand.add(batch.site, maybe.leaves)
        self._trains(batch, maybe.shown, again=maybe.again)
        stream.begins_anew = self.by_hand.begins_anew(batch.site, maybe.leaves)
        self._enter_by_hand(stream, batch)
        self._snapshot = maybe.snapshot
        self._take_step(stream)

    def _enter_by_hand(self, stream: Stream, batch: e.TrainBatch) -> None:
        self.by_hand.is_so = True
        self._main = stream
        stream.pending.append(batch)
        self.epochs.enter(stream, batch.shown)

    def _step_by_hand(self, batch: e.TrainBatch) -> None:
        """Every backward is a step of its own."""
        weights = self.by_hand.weights(batch.site)
        stream = self.optimizers.by_hand(weights)
        stream.begins_anew = self.by_hand.begins_anew(batch.site, weights)
        self._enter_by_hand(stream, batch)
        if stream.steps == 0 or stream.begins_anew:
            self.optimizers.find_model(stream)
        self._snapshot = self._due(stream)
        self._gradients_ready(stream, clipped=False)
        self._take_step(stream)

    # -- steps -----------------------------------------------------------------------------------

    def gradients_zeroed(self, event: e.GradientsZeroed) -> None:
        """Gradients were discarded: what waited for a step will not be part of one."""
        owner = event.owner
        own = self._stream_of(owner) if hasattr(owner, "param_groups") else None
        self._adopted = None
        if own is not None and own.pending:
            self._zeroed(own)
        # A model, or an optimizer around another one that steps (SAM), discards for others too.
        others = [s for s in self.streams if s.pending and s is not own]
        if others:
            held = own.parameters() if own is not None else owner.parameters()  # type: ignore[union-attr]
            inside = {id(p) for p in held}
            for stream in others:
                if all(id(p) in inside for p in stream.parameters()):
                    self._zeroed(stream)
        if self._unclaimed:
            self._unclaimed.forget(
                own.parameters() if own is not None else owner.parameters()  # type: ignore[union-attr]
            )

    def _zeroed(self, stream: Stream) -> None:
        if stream.in_closure:
            if stream.pending and not stream.first_evaluation_over:
                self._end_first_evaluation(stream)
        elif stream.pending:
            stream.orphan = self._waits_for_step(stream)
            stream.cleared = True
            self._counted.drop(stream)

    def _end_first_evaluation(self, stream: Stream) -> None:
        """The closure has been evaluated once: what it left is what the step is recorded by."""
        stream.first_evaluation_over = True
        if stream.clipped:
            self._gradients_ready(stream, clipped=True)

    def clipping_started(self, event: e.ClippingStarted) -> None:
        """Take the norms before gradients change."""
        tensors = [event.parameters] if hasattr(event.parameters, "grad_fn") else event.parameters
        for reached in self.optimizers.with_gradients_of(tensors):
            stream = self._going_on(reached)
            if stream.in_closure and stream.first_evaluation_over:
                continue
            if stream.optimizer is None:
                # Its step was taken at the backward: this clipping comes after, and is of no other.
                continue
            if not stream.clipped or stream.clipped_too_early:
                stream.clipped, stream.clipped_too_early = True, False
                self._publish(e.GradientsBeforeClipping(stream, self.scale_of(stream)))

    def step_started(self, event: e.StepStarted) -> None:
        """Gradients are final: metrics read them, and the weights before they change."""
        if is_rehearsed(event.optimizer):
            return
        if self._is_inside_step(event.optimizer):
            self._inner.append(ref(event.optimizer))
            return
        stream = self._main = self._going_on(
            self._stream_of(event.optimizer), closure=event.closure
        )
        if self._adopted is stream and not event.closure:
            # Its backward was taken for a step by hand: that was this one.
            self._adopted = None
            self._inner.append(ref(event.optimizer))
            return
        if self._aside is not None:
            self._belongs_after_all(self._aside)
        if self._batch is not None and not event.closure and self._is_reached(stream):
            self._step_inside(stream, self._batch)
        self._stepping = stream
        stream.in_closure = event.closure
        stream.first_evaluation_over = False
        if event.closure and stream.pending:
            # Gradients of before are the closure's own to zero.
            self._counted.drop(stream)
        self._begin_step(stream, event)

    def _begin_step(self, stream: Stream, event: e.StepStarted) -> None:
        if stream.steps == 0:
            self.optimizers.first_used(stream)
        if stream.steps == 0 or stream.begins_anew:
            self.optimizers.find_model(stream)
        self._snapshot = self._due(stream)
        self._publish(e.StepBegan(stream, event.optimizer, self._snapshot))
        if self._snapshot:
            self._publish(e.SnapshotBegan(stream, event.optimizer, self._snapshot))
        if not event.closure:
            self._gradients_ready(stream, stream.clipped, stream.clipped_too_early)

    def _is_reached(self, stream: Stream) -> bool:
        """Whether the backward that runs has brought gradients to a stream that steps inside it."""
        if len(self._marks) != len(self.streams):
            return not stream.pending
        return gradient_marks(stream) != self._marks[self.streams.index(stream)]

    def _step_inside(self, stream: Stream, batch: e.TrainBatch) -> None:
        """A step inside the backward that feeds it: a hook takes it once the gradients are there.

        Mostly one of many optimizers, of a parameter each; the one that came first stands for the
        loss from then on, unless earlier batches wait at each of them.
        """
        known = self.sites.of(batch.site).streams
        if stream.pending or stream in known or not (known or self._stepped_inside):
            self._wait(stream, batch)
        else:
            self.epochs.enter(stream, batch.shown)
        self._stepped_inside.append(stream)

    def step_done(self, event: e.StepDone) -> None:
        """An optimizer ran its step; a fused one under a scaler perhaps without effect."""
        if is_rehearsed(event.optimizer):
            return
        if self._inner and self._inner[-1]() is event.optimizer:
            self._inner.pop()
            return
        self._stepping = None
        stream = self._stream_of(event.optimizer)
        if stream.in_closure and not stream.first_evaluation_over:
            self._end_first_evaluation(stream)
        stream.in_closure = False
        skipped: Value = 0.0
        scaled = getattr(event.optimizer, "grad_scale", None) is not None
        if scaled and (found_inf := getattr(event.optimizer, "found_inf", None)) is not None:
            known = self._value_of(found_inf)
            skipped = 0.0 if known is None else known
            if isinstance(skipped, float) and skipped:
                return
        stream.stepped = True
        self._take_step(stream, skipped)

    def scaler_step_done(self, event: e.ScalerStepDone) -> None:
        """After `scaler.step`: a step that did not happen is counted as skipped, not as a step."""
        stream = self._stream_of(event.optimizer)
        if not stream.stepped:
            self.seen.skipped += 1
            stream.clipped = stream.clipped_too_early = False
            self._publish(e.StepSkipped(stream))
            self._counted.drop(stream)
            self._emit_row(
                Row(stream.steps, time.time(), hidden=[("autotrack/skipped", 1)]), stream
            )
        stream.stepped = False

    def _is_inside_step(self, optimizer: Any) -> bool:
        """Whether the step of an optimizer around this one is under way (Lookahead)."""
        outer = self._stepping
        if outer is None or outer.optimizer is None or outer.optimizer() is optimizer:
            return False
        held = {id(parameter) for parameter in outer.parameters()}
        return all(id(p) in held for group in optimizer.param_groups for p in group["params"])

    def _due(self, stream: Stream) -> bool:
        evaluation = self._capture.evaluation
        last = evaluation.last_loader is not None and evaluation.last_batch_in_hand()
        return self.snapshot_due(stream, last)

    def _take_step(self, stream: Stream, skipped: Value = 0.0) -> None:
        batches, stream.pending = stream.pending, []
        self.seen.cleared += stream.cleared and not batches
        stream.cleared = False
        groups = self.sites.learn(stream, batches)
        stream.site = batches[-1].site if batches else stream.site
        stream.orphan = False
        self._counted.count_step(stream, batches)
        row = Row(stream.steps, time.time(), skipped=skipped)
        if stream.begins_anew:
            self._begin_anew(stream, row)
        if not self._half_seen:
            self.objective.learn(batches, len(groups))
        elif len(groups) == 1 and (criterion := _only_criterion(batches, self._half_seen)):
            self.objective.suppose(criterion)
            self._capture.criteria.outputs.trained_unseen(criterion)
        self._half_seen = set()
        if type(skipped) is not float:
            self.epochs.unsure = True
        if self.epochs.unsure:
            row.counted, row.by_steps = ((stream, stream.steps),), True
        if stream.epoch is not None and stream.epoch != stream.marked:
            self.epochs.mark(row, stream, stream.epoch)
        stream.steps += 1
        if stream.steps == _SETTLED_BY:
            settle_names(self.streams)
        if self._unclaimed:
            self._unclaimed.forget(stream.parameters())
        taken = (stream, stream.steps - 1, stream.epoch, batches, groups, row, self._snapshot)
        self._publish(e.StepTaken(*taken))
        if self._snapshot:
            self._publish(e.SnapshotTaken(*taken))
        self._emit_row(row, stream)
        self._is_over(stream, batches)

    def _begin_anew(self, stream: Stream, row: Row) -> None:
        """The first step of a new model: what was learned of the one before says nothing of it."""
        stream.begins_anew = False
        stream.trainings += 1
        row.hidden.append(("autotrack/training", stream.trainings))
        self.objective.forget()
        self._capture.evaluation.phases.forget()

    def _is_over(self, stream: Stream, batches: list[e.TrainBatch]) -> None:
        """A step and its record are done: forget what was of it alone."""
        clipped, too_early = stream.clipped, stream.clipped_too_early
        self.seen.clipped_early += too_early
        stream.clipped = stream.clipped_too_early = False
        if self._capture.criteria.waiting:
            self._capture.criteria.step_done()
        if self._capture.evaluation.under_way:
            self.evaluation_ends()
        if stream.epoch is None and stream.stretch.step():
            self.epochs.end_pass(stream)
        if not too_early:
            self.settles(stream, batches, clipped=clipped)

    # -- settled steps ---------------------------------------------------------------------------

    @property
    def scaler(self) -> Any:
        """The gradient scaler that was used last, if any was."""
        return self._batches.scaler

    def is_calm(self, stream: Stream, site: Site) -> bool:
        """Whether nothing waits at any stream, so that nothing but the next step can come of it."""
        known = self.sites.of(site)
        return (
            not any([one.pending for one in self.streams])  # noqa: C419 - no frame
            and not stream.in_closure
            and not stream.orphan
            and not (known.held or known.adds or known.means)
            and not (self._depth or self.epochs.unsure or self.looked_at)
            and not self.epochs.is_stated
            and self.by_hand.has(site) is self.by_hand.is_so is (stream.optimizer is None)
            and self.by_hand.maybe is None
        )

    def settled_steps(self, pattern: Pattern, count: int) -> None:
        """Take in that so many steps were like those of the pattern."""
        stream, shown = pattern.stream, pattern.shown if pattern.each else None
        if shown is not None:
            self.epochs.run_on(stream, shown, count)
        names_are_open = stream.steps < _SETTLED_BY
        stream.steps += count
        if names_are_open and stream.steps >= _SETTLED_BY:
            settle_names(self.streams)
        calls = count * pattern.backwards
        stream.batches_seen += calls if shown is None else 1
        if stream.epoch is None:
            stream.stretch.steps += count
        if pattern.by_hand:
            self.by_hand.kept(count)
        self.seen.backwards += calls
        self.seen.losses += calls
        self.seen.criteria += calls if pattern.calls else 0
        for _ in range(min(count, 2)):
            self._capture.criteria.step_done()

    def resume(
        self,
        batches: list[e.TrainBatch],
        calls: list[e.CriterionCall],
        pattern: Pattern,
        stage: int,
        others: dict[int, list[tuple[int, int]]],
    ) -> None:
        """Go on with a step like those of `pattern` that was begun elsewhere and is at `stage`.

        It has come to the backward calls `batches`, and to `calls` of criteria since. `others` are
        the other streams, with their gradient marks before.
        """
        criteria, stream = self._capture.criteria, pattern.stream
        if batches or calls:
            criteria.step_under_way()
        for batch in batches:
            criteria.resume(batch.parts)
            criteria.fed_training(batch.parts)
            self._note(batch)
            if stage == BACKWARD and batch is batches[-1]:
                self._depth, self._batch = 1, batch
                self._marks = [others.get(id(one), []) for one in self.streams] if others else []
                continue
            reached = [s for s in self.streams if gradient_marks(s) != others.get(id(s))]
            self._wait_at(reached if others else [stream], batch)
        criteria.resume(calls)
        stream.clipped = pattern.clipped and stage >= CLIPPED
        if stage == STEP:
            self._main = self._stepping = stream
            stream.in_closure = stream.first_evaluation_over = False
            self._snapshot = False

    # -- evaluation and position -----------------------------------------------------------------

    def evaluation_begins(self) -> None:
        """Evaluation starts: without epochs, that ends a training pass."""
        self.by_hand_or_not()
        self._evaluated = True
        for stream in self.streams:
            stream.stretch.evaluated = True
            if stream.epoch is None and stream.stretch.steps:
                self.epochs.end_pass(stream)

    def evaluation_ends(self) -> None:
        """Training goes on: the running evaluation pass is over."""
        self._capture.models.watch_alike_no_more()
        self._capture.evaluation.training_goes_on(self.position, self.objective)

    def position(self) -> Position:
        """Return where training stands: what an evaluation point needs."""
        self.by_hand_or_not()
        steps = max((s.steps for s in self.streams), default=0)
        epoch = self._main.epoch if self._main is not None else None
        counted = tuple((s, s.steps) for s in self.streams) if self.epochs.unsure else ()
        return Position(steps, epoch, steps > 0, counted)

    def position_here(self) -> Position:
        """Return where training stands, by the epoch that the loop around us shows."""
        position = self.position()
        if (
            position.started
            and position.epoch is not None
            and (here := self.epochs.here(self._main)) is not None
        ):
            position.epoch = here
        return position

    def end(self, *, failed: bool) -> None:
        """The run is over: the running pass is a pass, unless an exception cut it short."""
        before = self.by_hand.maybe.before if self.by_hand.maybe is not None else None
        self.by_hand_or_not(followed=before is not None and not before.is_known)
        self._none_by_hand()
        for stream in self.streams:
            # Gradients that are left when evaluation begins are of no step any more.
            interrupted = (stream.orphan or self._waits_for_step(stream)) and not self._evaluated
            self._counted.drop(stream)
            if not stream.steps:
                continue
            if interrupted or (failed and not self._capture.loaders.primary_is_finished):
                self.seen.cut_short.append(stream.name)
            else:
                self.epochs.end_pass(stream)

    def _waits_for_step(self, stream: Stream) -> bool:
        """Whether a backward call that always led to a step has not done so.

        Not so where several calls make a step: then some may be left over.
        """
        sites = [self.sites.of(batch.site) for batch in stream.pending]
        return any(stream in known.streams and not known.gathers for known in sites)

    # -- streams ---------------------------------------------------------------------------------

    def _stream_of(self, optimizer: Any) -> Stream:
        """Return the stream of an optimizer; a new one takes the backward calls that wait."""
        stream = self._main
        # Nearly always the optimizer that stepped last.
        if stream is None or stream.optimizer is None or stream.optimizer() is not optimizer:
            stream = self.optimizers.known(optimizer)
        if stream is None:
            first = all(s.optimizer is None for s in self.streams)
            by_hand = [s for s in self.streams if s.optimizer is None]
            # In a hook's variable each weight's optimizer follows the one before.
            stream = self.optimizers.add(optimizer, None, beside=self._batch is not None)
            if stream in by_hand:
                self._adopt(stream)
            for batch in self._unclaimed.take(stream.parameters(), first=first):
                # It may have taken over where that waits, clipped by now.
                if batch not in stream.pending:
                    self._wait(stream, batch)
        return stream

    def _going_on(self, stream: Stream, *, closure: bool = False) -> Stream:
        """Return the stream of a first step: that of a training that is over, if one is.

        A notebook calls the optimizers of its models one after another by names of their own.
        """
        before = self._main
        if stream.steps or before is None or before is stream or before.suffix:
            return stream
        if any(s.steps for s in self.streams if s is not before):
            return stream
        waits = stream.pending and not closure
        site = stream.pending[-1].site if waits else self._scope.site()
        if not (before.is_over(stream, site) and self.optimizers.is_alone(stream)):
            return stream
        if not before.holds_any(stream.parameters()):
            self._counted.drop(before)
        self.optimizers.hand_over(before, stream)
        self.by_hand.is_so = False
        if before.pending:
            self.epochs.enter(before, before.pending[-1].shown)
        return before

    def _adopt(self, stream: Stream) -> None:
        """An optimizer steps for weights that seemed to be moved by hand."""
        maybe, self.by_hand.maybe = self.by_hand.maybe, None
        self.by_hand.is_so = any(s.optimizer is None for s in self.streams)
        self.by_hand.forget()
        if stream.suffix is None:
            stream.name = "optimizer"
        if maybe is None:
            self._adopted = stream
        else:
            self._trains(maybe.batch, maybe.shown, again=maybe.again)
            self._wait(stream, maybe.batch)

    def scale_of(self, stream: Stream) -> Any:
        """Return what a stream's gradients are still multiplied by: None where nothing scales."""
        optimizer = stream.optimizer() if stream.optimizer is not None else None
        scaler = self._batches.scaler
        if scaler is None or optimizer is None:
            return None
        state = scaler._per_optimizer_states.get(id(optimizer))
        if state is not None and state["stage"].name != "READY":
            return None
        return scaler._scale


def _only_criterion(batches: list[e.TrainBatch], half_seen: set[str]) -> str | None:
    """Return the criterion, known too late, of which each loss is the very value, if there is one.

    For some it is read off what the criterion computed inside, for others off its result.
    """
    if len(half_seen) != 1:
        return None
    (criterion,) = half_seen
    alone = len(batches) == 1
    for batch in batches:
        if not batch.whole or batch.reduction != "mean" or len(batch.parts) != 1:
            return None
        part = batch.parts[0]
        if not part.inside and part.function != criterion:
            return None
        if alone and batch.divisor != 1:
            return None
    return criterion
