"""Evaluation: which batches form a pass, what the pass is called, and where its point stands."""

from __future__ import annotations

import time
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any, NamedTuple
from weakref import ref

import torch

from autotrack import events as e
from autotrack.capture.heldout import HeldOut
from autotrack.capture.inhand import InHand
from autotrack.capture.phases import Phases, Said
from autotrack.contents import first_of
from autotrack.dtensors import is_spread
from autotrack.row import Row
from autotrack.timeline import MOST_LOADERS

if TYPE_CHECKING:
    from collections.abc import Callable

    from autotrack.capture.objective import Objective
    from autotrack.identity import Identities
    from autotrack.loopscope import LoopScope
    from autotrack.timeline import LoaderClock

    Where = Callable[[], "Position"]


@dataclass(slots=True, eq=False, repr=False)
class Position:
    """Where training stands: completed steps, the epoch, and whether it has begun.

    `said` is what names a split there, of a call that only later turns out to be evaluation.
    """

    steps: int
    epoch: int | None
    started: bool
    counted: tuple[tuple[Any, int], ...] = ()
    said: Said | None = None


@dataclass(slots=True, eq=False, repr=False)
class Pass:
    """A run of evaluation batches with no training step between.

    `model` is the number of the trained model that was called, None where none was: then it is
    another one. `sites` are where criteria were called, `outputs` those that no criterion took;
    `ahead` says that batches were drawn ahead of their use, `drawn` how many there were, known at
    their end.
    """

    key: object
    phase: str
    position: Position
    loader: int | None = None
    serial: int = 0
    model: int | None = None
    batches: int = 0
    sites: set[int] = field(default_factory=set)
    outputs: int = 0
    ahead: bool = False
    drawn: int | None = None


class _Output(NamedTuple):
    """What a model made of a batch, until its criterion comes.

    `ahead` says that batches are drawn ahead, `left` that this is the last one of the running pass.
    `site` is where the model was called, where its batch does not say what is evaluated. `graph`
    says that it has one: until the loader's next batch a backward may come, and it is training's.
    """

    output: Any
    batch: Any
    ahead: bool = False
    left: bool = False
    site: Any = None
    graph: bool = False


@dataclass(slots=True, eq=False, repr=False)
class Noticed:
    """What the coverage tells about evaluation."""

    passes: dict[str, int] = field(default_factory=dict)
    monitored: int = 0
    cut_short: list[str] = field(default_factory=list)


class Evaluation:
    """The evaluation side of the capture."""

    def __init__(
        self,
        loaders: LoaderClock,
        loader_ids: Identities,
        scope: LoopScope,
        publish: Callable[[Any], None],
        emit_row: Callable[[Row, Any], None],
    ) -> None:
        self._loaders = loaders
        self._loader_ids = loader_ids
        self._scope = scope
        self._publish = publish
        self._emit_row = emit_row
        self.phases = Phases(scope)
        self.coverage = Noticed()
        #: The batch in hand.
        self.in_hand = InHand(loaders)
        #: Batches that were drawn once.
        self.held_out = HeldOut(loaders)
        self._loader: ref[Any] | None = None
        self._output: _Output | None = None
        # The trained model that was called last, by its `id`, if one was since the batch came.
        self._called: int | None = None
        self._pass: Pass | None = None
        # Whether there is anything that the next training step would end.
        self.under_way = False
        self._initial: list[Pass] = []
        # Loaders of which an evaluation has used every batch.
        self._whole: set[int] = set()
        self._begins: Callable[[], None] | None = None
        self._where: Where | None = None

    def connect(self, begins: Callable[[], None], where: Where) -> None:
        """Learn how to tell training that evaluation begins, and to ask where it stands."""
        self._begins, self._where = begins, where

    #: Asks for the next call of a model though its output has a graph, as those of training have.
    wants_calls: Callable[[], None] = staticmethod(lambda: None)

    # -- loaders and models ----------------------------------------------------------------------

    def loader_started(self, loader: Any) -> None:
        """A pass over some loader starts: the batch in hand is done with."""
        self._output_without_criterion()
        self._called = None
        self.in_hand.pass_started()

    def batch_loaded(self, loader: Any, batch: Any) -> None:
        """Remember the batch in hand: its size, and in evaluation the batch itself."""
        number = self._loader_ids.of(loader)
        self._output_without_criterion(number)
        if number != self.in_hand.loader:
            # A loader that repeats its sampler for ever tells the start of its first pass only.
            self._called = None
        self.in_hand.came(number, batch, _size_of(batch))
        if self.in_hand.batch is not None:
            self.held_out.came(number, batch)
            if number not in self._loaders.trained:
                self.wants_calls()
        if self._loader is None or self._loader() is not loader:
            self._loader = ref(loader)
        self.under_way = self.under_way or self.in_hand.batch is not None

    def batch_in_training(self, batch: Any) -> None:
        """The running training pass goes on with another batch."""
        self.in_hand.size = _size_of(batch)

    @property
    def last_loader(self) -> int | None:
        """The number of the loader that gave the batch in hand."""
        return self.in_hand.loader

    @property
    def loader(self) -> ref[Any] | None:
        """The loader that gave the batch in hand."""
        return self._loader

    @property
    def is_open(self) -> bool:
        """Whether a pass, or anything else that a training step would end, is under way."""
        return self.under_way or self._pass is not None or self.in_hand.batch is not None

    @property
    def progress(self) -> tuple[str, int, int | None] | None:
        """The running pass: its phase, its batches so far, and how many there will be."""
        running = self._pass
        if running is None:
            return None
        current = self._loaders.passes.get(running.loader) if running.loader is not None else None
        if current is None or current.serial != running.serial:
            return running.phase, running.batches, None
        return running.phase, current.batches, current.length

    def loader_finished(self, loader: Any) -> None:
        """The pass over a loader is at its end."""
        self._output_without_criterion(self._loader_ids.of(loader))
        running, current = self._pass, self.in_hand.current
        if running is not None and current is not None and current.serial == running.serial:
            running.drawn = current.batches
        self.in_hand.pass_ended()

    def last_batch_in_hand(self) -> bool:
        """Whether the batch in hand is the last of its loader, where its length is known."""
        loader = self._loader() if self._loader is not None else None
        current = self.in_hand.current
        if loader is None or current is None or getattr(loader, "_dataset_kind", 1) != 0:
            return False
        return current.batches == current.length

    def model_called(self, event: e.ModelCalled) -> None:
        """Keep an evaluation batch's output until its criterion, or the next batch, comes."""
        if not event.alike:
            self._called = id(event.module)
        elif self._called is not None or self._output is not None:
            # Beside the trained model: it stands in for one that is not called.
            return
        ahead, batch = self.in_hand.batch is not None and self.in_hand.use(), self.in_hand.batch
        left = batch is None and self._is_left()
        if left and self._output is not None:
            # Called once more: which of the two is the last batch's, nothing says.
            self._output, self._pass.drawn = None, None  # type: ignore[union-attr]
        elif ahead or left:
            batch = self.in_hand.drawn_ahead()
        first = first_of(event.output)
        if not isinstance(first, torch.Tensor) or is_spread(first) or first.is_meta:
            return
        if first.requires_grad:
            if batch is not None and not (ahead or left or event.alike) and self._may_evaluate():
                self._output = _Output(_without_graph(event.output), batch, graph=True)
        elif batch is not None:
            self._output = _Output(event.output, batch, ahead=ahead or left, left=left)
        elif (batch := self.held_out.batch_of(event.args)) is not None:
            self._output = _Output(event.output, batch, site=self._scope.site())
            self.under_way = True

    def _is_left(self) -> bool:
        """Whether the running pass is over and its last batch, drawn ahead, is what is used now."""
        running = self._pass
        return running is not None and running.ahead and running.drawn == running.outputs + 1

    def _may_evaluate(self) -> bool:
        """Whether a batch that something is computed of with gradients may yet be evaluation's."""
        where = self._where
        trains = self.in_hand.loader in self._loaders.trained or self._is_in_training()
        return where is not None and not trains and where().started

    def trains_after_all(self) -> None:
        """Let go of an output that has a graph: its loss is computed, or its gradients are."""
        if self._output is None or not self._output.graph:
            return
        self._output = None
        running, current = self._pass, self.in_hand.current
        if running is None or running.batches or current is None:
            return
        if running.serial == current.serial:
            # Of that pass one batch was not evaluation's: nothing says what the others were.
            self._pass = None
            self._publish(e.PassDiscarded(running))

    def _output_without_criterion(self, loader: int | None = None) -> None:
        """Take an output that no criterion took; `loader` is the one that goes on, if one does."""
        if loader is None or loader != self.in_hand.loader:
            self.trains_after_all()
        waiting, self._output = self._output, None
        begins, where = self._begins, self._where
        if waiting is None or begins is None or where is None:
            return
        if self._has_criterion():
            return
        if waiting.site is None and not waiting.left and self._is_in_training():
            # Labels for the unlabelled, say: what comes of it is trained on.
            self.coverage.monitored += 1
            return
        begins()
        running = self._pass if waiting.left else None
        current = running or self._current(None, where, waiting.site)
        current.outputs += 1
        current.ahead = current.ahead or waiting.ahead
        self._publish(e.OutputSeen(current, waiting.output, waiting.batch))

    def _is_in_training(self) -> bool:
        current = self.in_hand.current
        return current is not None and current.trained

    def _has_criterion(self) -> bool:
        """Whether a criterion scores the running pass, if the batch in hand is one of its."""
        running, current = self._pass, self.in_hand.current
        if running is None or not running.batches:
            return False
        return current is None or running.serial == current.serial

    # -- criterion calls -------------------------------------------------------------------------

    def saw(self, call: e.CriterionCall, where: Where) -> None:
        """Count one criterion call without backward in its pass.

        `where` says where training stands, which only a new pass needs to know.
        """
        self._output = None
        self._site = call.site
        ahead = self.in_hand.use()
        current = self._current(call, where)
        current.batches += 1
        current.sites.add(id(call.site))
        current.ahead = current.ahead or ahead
        # Of batches that are drawn ahead the one in hand is another.
        self._publish(e.EvaluationBatchSeen(current, call, None if ahead else self.in_hand.batch))

    def _current(self, call: e.CriterionCall | None, where: Where, site: Any = None) -> Pass:
        """Return the pass that the code at `site` belongs to, opening it where it is new."""
        site = call.site if call is not None else site or self._scope.site()
        source = self._source(site)
        if call is None and source is not None and self._is_of(source):
            # By now other code may run than that which had the batch.
            assert self._pass is not None
            return self._pass
        said = self._said_at(call) or self.phases.said_now(site)
        key = (source, said) if source is not None else (id(site), said)
        if self._pass is None or self._pass.key != key:
            same_data = self._pass is not None and source is None and self._is_same_data(call)
            if same_data and self._pass is not None:
                return self._pass
            position = where()
            self.close(position)
            self._pass = self._open(key, source, site, said, position)
            self.under_way = True
        self._last_target = call.target_key if call is not None else 0
        return self._pass

    _last_target: int = 0
    _site: Any = None

    @staticmethod
    def _said_at(call: e.CriterionCall | None) -> Said | None:
        return call.position.said if call is not None and call.position is not None else None

    def goes_on_at(self, site: Any) -> bool:
        """Whether a pass is running to which the last call at `site` belonged."""
        return self._pass is not None and self._site is site

    def looked_at(self, target: int) -> bool:
        """Whether the last criterion call of the running pass had the target at this address."""
        return self._pass is not None and target == self._last_target != 0

    def _is_same_data(self, call: e.CriterionCall | None) -> bool:
        """Two criteria on one target in a row are parts of one evaluation, not two."""
        return call is not None and call.target_key != 0 and call.target_key == self._last_target

    def _source(self, site: Any) -> tuple[int, int] | None:
        """Return the loader pass that evaluation takes its batches from, if it does."""
        current = self.in_hand.current
        if current is None or current.trained or not current.batches:
            return None
        if current.finished:
            # The last of those that are drawn ahead is used after their end.
            running = self._pass
            if running is None or running.serial != current.serial or not running.ahead:
                return None
            if id(site) not in running.sites:
                return None
        assert self.last_loader is not None
        return self.last_loader, current.serial

    def _is_of(self, source: tuple[int, int]) -> bool:
        """Whether the running pass is that over the batches of `source`."""
        return self._pass is not None and (self._pass.loader, self._pass.serial) == source

    def _open(self, key: object, source: Any, site: Any, said: Said, position: Position) -> Pass:
        loader = source[0] if source else None
        trained = loader in self._loaders.trained
        if loader is not None:
            self._loaders.evaluate(loader)
        phase = self.phases.name(site, said, loader, self._called, is_training_loader=trained)
        return Pass(key, phase, position, loader, source[1] if source else 0, self._called)

    # -- the end of a pass -----------------------------------------------------------------------

    def training_goes_on(self, position_now: Callable[[], Position], objective: Objective) -> None:
        """A training step: the running pass is over."""
        if not self.under_way:
            return
        self.under_way = False
        self._output_without_criterion()
        self.phases.training_goes_on()
        self.in_hand.forget()
        self.held_out.training_goes_on()
        running = self._pass
        if running is not None and running.loader is not None:
            current = self._loaders.passes.get(running.loader)
            if current is not None and current.serial == running.serial and current.trained:
                # The very pass that training uses: monitoring before backward, no evaluation.
                self._pass = None
                self.coverage.monitored += running.batches
                self._publish(e.PassDiscarded(running))
        position = position_now()
        self.close(position, objective)
        if position.steps:
            self.release_initial(objective)
        self.under_way = bool(self._initial)

    def close(self, position: Position, objective: Objective | None = None) -> None:
        """End the running pass; one from before training waits until the objective is known."""
        running, self._pass = self._pass, None
        if running is None:
            return
        unsure = running.ahead and running.drawn != running.outputs
        looks = self._stops_short(running)
        if not running.batches and (unsure or looks):
            # Some pictures are shown; or nothing says which of the batches drawn ahead were used.
            self._publish(e.PassDiscarded(running))
        elif not running.position.started:
            self._initial.append(running)
        else:
            self._finish(running, "", objective)

    def _stops_short(self, one: Pass) -> bool:
        """Whether a pass has not used all batches of a loader of which an evaluation has."""
        current = self._loaders.passes.get(one.loader) if one.loader is not None else None
        if one.loader is None or current is None:
            return False
        whole = current.serial == one.serial and current.batches == current.length
        if not whole and one.drawn is None:
            return one.loader in self._whole
        if len(self._whole) > MOST_LOADERS:
            self._whole.clear()
        self._whole.add(one.loader)
        return False

    objective: Objective | None = None

    def release_initial(self, objective: Objective) -> None:
        """Write the passes from before training."""
        waiting, self._initial = self._initial, []
        for one in waiting:
            self._finish(one, "_initial", objective)

    def _finish(self, one: Pass, suffix: str, objective: Objective | None) -> None:
        known = objective or self.objective
        epoch = None if suffix else one.position.epoch
        row = Row(epoch if epoch is not None else one.position.steps, time.time())
        row.counted, row.by_steps = one.position.counted, epoch is None
        criterion = known.criterion if known is not None else None
        self._publish(e.EvaluationPassEnded(one, one.phase, suffix, criterion, row))
        self.coverage.passes[one.phase] = self.coverage.passes.get(one.phase, 0) + 1
        if row.scalars or row.images or row.curves:
            row.hidden.append(("autotrack/step", one.position.steps))
            self._emit_row(row, None)

    def _is_complete(self, one: Pass) -> bool:
        current = self._loaders.passes.get(one.loader) if one.loader is not None else None
        return current is not None and current.serial == one.serial and current.finished

    def end(self, *, failed: bool) -> None:
        """The run is over: a pass cut short by an exception has no point."""
        self._output_without_criterion()
        if failed and self._pass is not None and not self._is_complete(self._pass):
            self.coverage.cut_short.append(self._pass.phase)
            self._pass = None
        self.close(Position(0, None, started=True))
        self._output = None
        self.in_hand.forget()


def _without_graph(output: Any) -> Any:
    """Return a model's output, a tensor or a tuple of some, without what it was computed by."""
    if isinstance(output, torch.Tensor):
        return output.detach()
    return tuple(map(_without_graph, output)) if isinstance(output, (tuple, list)) else output


def _size_of(batch: Any) -> int | None:
    """Return the first dimension of a batch's first tensor."""
    tensor: torch.Tensor | Any = first_of(batch)
    shape = getattr(tensor, "shape", None)
    return int(shape[0]) if shape else None
