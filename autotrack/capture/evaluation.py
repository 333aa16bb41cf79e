"""Evaluation: which batches form a pass, what the pass is called, and where its point stands."""

from __future__ import annotations

import time
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any
from weakref import ref

from autotrack import events as e
from autotrack.capture.phases import Phases
from autotrack.dtensors import is_spread
from autotrack.row import Row

if TYPE_CHECKING:
    from collections.abc import Callable

    import torch

    from autotrack.identity import Identities
    from autotrack.loopscope import LoopScope
    from autotrack.timeline import LoaderClock

    Where = Callable[[], "Position"]


@dataclass(slots=True)
class Position:
    """Where training stands: completed steps, the epoch, and whether it has begun."""

    steps: int
    epoch: int | None
    started: bool
    counted: tuple[tuple[Any, int], ...] = ()


@dataclass(slots=True)
class Objective:
    """What training minimises, learned from its steps.

    `function` is the one criterion whose value alone is backwarded; None as soon as any step's loss
    is more than that, because then an evaluation's criterion call is only a part of the objective.
    """

    function: str | None = None
    mixed: bool = False

    def learn(self, batches: list[e.TrainBatch], sites: int) -> None:
        """Take in the backward calls of one step, made at so many call sites."""
        for batch in batches:
            alone = batch.whole and sites == 1 and len(batch.parts) == 1
            function = batch.parts[0].function if alone else None
            if function is None or (self.function is not None and self.function != function):
                self.mixed = True
            self.function = function or self.function

    def forget(self) -> None:
        """Begin anew."""
        self.function, self.mixed = None, False

    @property
    def criterion(self) -> str | None:
        """The criterion that stands for the whole objective, if one does."""
        return None if self.mixed else self.function


@dataclass(eq=False, slots=True)
class Pass:
    """A run of evaluation batches with no training step between; `sites` are where they count."""

    key: object
    phase: str
    position: Position
    loader: int | None = None
    serial: int = 0
    batches: int = 0
    sites: set[int] = field(default_factory=set)


@dataclass(slots=True)
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
        self.last_loader: int | None = None
        self._loader: ref[Any] | None = None
        self._batch: Any = None
        self._output: Any = None
        # The trained model that was called last, by its `id`, if one was since the batch came.
        self._called: int | None = None
        self.batch_size: int | None = None
        # Batches that came since one was used, and the loader's pass in which that was more than
        # one: something draws them ahead, so that the last is used after the loader's end.
        self._drawn = 0
        self._ahead = 0
        self._size_before: int | None = None
        self._pass: Pass | None = None
        # Whether there is anything that the next training step would end.
        self.under_way = False
        self._initial: list[Pass] = []
        self._begins: Callable[[], None] | None = None
        self._where: Where | None = None

    def connect(self, begins: Callable[[], None], where: Where) -> None:
        """Learn how to tell training that evaluation begins, and to ask where it stands."""
        self._begins, self._where = begins, where

    # -- loaders and models ----------------------------------------------------------------------

    def loader_started(self, loader: Any) -> None:
        """A pass over some loader starts: the batch in hand is done with."""
        self._output_without_criterion()
        self._called = None
        self._drawn = 0

    def batch_loaded(self, loader: Any, batch: Any) -> None:
        """Remember the batch in hand: its size, and in evaluation the batch itself."""
        self._output_without_criterion()
        before, self.last_loader = self.last_loader, self._loader_ids.of(loader)
        self._drawn = self._drawn + 1 if before == self.last_loader else 1
        self._size_before = self.batch_size
        if self._loader is None or self._loader() is not loader:
            self._loader = ref(loader)
        self.batch_size = _size_of(batch)
        # Kept only until the next batch, and only where labels may be needed: outside training.
        self._batch = None if self._loaders.in_training_pass(self.last_loader) else batch
        self.under_way = self.under_way or self._batch is not None

    def size_in_training(self, *, again: bool) -> int | None:
        """Return how many samples the loader says are in the batch that a backward call uses.

        None where that is not plain: it comes `again`, or another size was drawn ahead of its use.
        """
        ahead = self._is_drawn_ahead()
        if again:
            loaders, loader = self._loaders, self.last_loader
            left = ahead and loader is not None and loaders.has_one_left(loader)
            return self.batch_size if left else None
        return self.batch_size if not ahead or self.batch_size == self._size_before else None

    def batch_in_training(self, batch: Any) -> None:
        """The running training pass goes on with another batch."""
        self.batch_size = _size_of(batch)

    @property
    def loader(self) -> ref[Any] | None:
        """The loader that gave the batch in hand."""
        return self._loader

    @property
    def is_open(self) -> bool:
        """Whether a pass, or anything else that a training step would end, is under way."""
        return self.under_way or self._pass is not None or self._batch is not None

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
        self._output_without_criterion()
        self._batch = None

    def last_batch_in_hand(self) -> bool:
        """Whether the batch in hand is the last of its loader, where its length is known."""
        loader = self._loader() if self._loader is not None else None
        current = (
            self._loaders.passes.get(self.last_loader) if self.last_loader is not None else None
        )
        if loader is None or current is None or getattr(loader, "_dataset_kind", 1) != 0:
            return False
        return current.batches == current.length

    def model_called(self, module: Any, output: Any) -> None:
        """Keep an evaluation batch's output until its criterion, or the next batch, comes."""
        self._called = id(module)
        if self._batch is None or self._is_drawn_ahead():
            return
        first = _first_tensor(output)
        if not getattr(first, "requires_grad", True) and not is_spread(first):
            self._output = output

    def _output_without_criterion(self) -> None:
        output, self._output = self._output, None
        begins, where = self._begins, self._where
        if output is None or self._batch is None or begins is None or where is None:
            return
        if self._pass is not None and self._pass.batches:
            return
        begins()
        self._publish(e.OutputSeen(self._current(None, where), output, self._batch))

    # -- criterion calls -------------------------------------------------------------------------

    def saw(self, call: e.CriterionCall, where: Where) -> None:
        """Count one criterion call without backward in its pass.

        `where` says where training stands, which only a new pass needs to know.
        """
        self._output = None
        self._site = call.site
        ahead = self._is_drawn_ahead()
        current = self._current(call, where)
        current.batches += 1
        current.sites.add(id(call.site))
        # Of batches that are drawn ahead the one in hand is another.
        self._publish(e.EvaluationBatchSeen(current, call, None if ahead else self._batch))

    def _is_drawn_ahead(self) -> bool:
        """Whether the loader's pass gives batches earlier than they are used; one is used now."""
        drawn, self._drawn = self._drawn, 0
        current = (
            self._loaders.passes.get(self.last_loader) if self.last_loader is not None else None
        )
        if current is None:
            return False
        if drawn > 1:
            self._ahead = current.serial
        return self._ahead == current.serial

    def _current(self, call: e.CriterionCall | None, where: Where) -> Pass:
        """Return the pass that the running code belongs to, opening it where it is new."""
        site = call.site if call is not None else self._scope.site()
        source = self._source(site)
        strings = self.phases.strings(site)
        key = (source, strings) if source is not None else (id(site), strings)
        if self._pass is None or self._pass.key != key:
            same_data = self._pass is not None and source is None and self._is_same_data(call)
            if same_data and self._pass is not None:
                return self._pass
            position = where()
            self.close(position)
            self._pass = self._open(key, source, site, strings, position)
            self.under_way = True
        self._last_target = call.target_key if call is not None else 0
        return self._pass

    _last_target: int = 0
    _site: Any = None

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
        current = (
            self._loaders.passes.get(self.last_loader) if self.last_loader is not None else None
        )
        if current is None or current.trained or not current.batches:
            return None
        if current.finished and not self._is_left_of(current.serial, site):
            return None
        assert self.last_loader is not None
        return self.last_loader, current.serial

    def _is_left_of(self, serial: int, site: Any) -> bool:
        """Whether a batch that was drawn ahead is used after the end of its loader's pass."""
        running = self._pass
        return (
            running is not None
            and running.serial == serial == self._ahead
            and id(site) in running.sites
        )

    def _open(
        self, key: object, source: Any, site: Any, strings: tuple[str, ...], position: Position
    ) -> Pass:
        loader = source[0] if source else None
        trained = loader in self._loaders.trained
        if loader is not None:
            self._loaders.evaluate(loader)
        phase = self.phases.name(site, strings, loader, self._called, is_training_loader=trained)
        return Pass(key, phase, position, loader, source[1] if source else 0)

    # -- the end of a pass -----------------------------------------------------------------------

    def training_goes_on(self, position_now: Callable[[], Position], objective: Objective) -> None:
        """A training step: the running pass is over."""
        if not self.under_way:
            return
        self.under_way = False
        self._output_without_criterion()
        self.phases.training_goes_on()
        self._batch = None
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
        if not running.position.started:
            self._initial.append(running)
        else:
            self._finish(running, "", objective)

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
        self._batch = self._output = None


def _first_tensor(output: Any) -> Any:
    if isinstance(output, dict):
        output = next(iter(output.values()), None)
    if isinstance(output, (tuple, list)):
        output = output[0] if output else None
    return output


def _size_of(batch: Any) -> int | None:
    """Return the first dimension of a batch's first tensor."""
    tensor: torch.Tensor | Any = _first_tensor(batch)
    shape = getattr(tensor, "shape", None)
    return int(shape[0]) if shape else None
