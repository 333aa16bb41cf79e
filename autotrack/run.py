"""One run: owns the parts and moves every event from observers to metrics to the record."""

from __future__ import annotations

import atexit
import contextlib
import dataclasses
import os
import time
from threading import get_ident
from typing import TYPE_CHECKING, Any

import torch
from torch import compiler

from autotrack import context, metrics, observers, ranks
from autotrack.budget import SNAPSHOTS, Budget
from autotrack.capture.capture import Capture
from autotrack.capture.inventory import Inventory
from autotrack.capture.models import Models
from autotrack.capture.settled import Settled
from autotrack.capture.streams import settle_names
from autotrack.cost import Cost, Meter
from autotrack.elsewhere import Elsewhere
from autotrack.errors import NestedRunError, UsageError
from autotrack.events import FeaturesSeen, LoaderStarted, RunEnded
from autotrack.guard import Guard
from autotrack.identity import Registry
from autotrack.loopscope import LoopScope
from autotrack.metrics import Surroundings
from autotrack.observers.cuda_graph import graphs
from autotrack.outlet import Outlet
from autotrack.recorder import Recorder
from autotrack.row import Row
from autotrack.schedule import Schedule
from autotrack.stated import Stated

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator
    from pathlib import Path

    from typing_extensions import Self

    from autotrack.block import Block
    from autotrack.capture.pattern import Pattern
    from autotrack.conclusion import Conclusion
    from autotrack.config import Config
    from autotrack.coverage import Coverage
    from autotrack.frames import Line
    from autotrack.guard import Handlers
    from autotrack.history import History
    from autotrack.keeper import Keeper
    from autotrack.records import Record

# An evaluation's progress is told so often.
_TELL_SECONDS = 0.5
# Reading a longer record back would make a person wait at the end of a run.
_MOST_ROWS_JUDGED = 200_000

_is_tracing = torch._C._is_tracing
_transform = torch._C._functorch.peek_interpreter_stack
# Tells at once whether any mode is on; hardly ever is one.
_modes = torch._C._len_torch_dispatch_stack
_mode = torch._C._get_dispatch_mode
# While such a mode is on, tensors stand for others: their sizes are reckoned, or what is done.
_STANDING_IN = (torch._C._TorchDispatchModeKey.FAKE, torch._C._TorchDispatchModeKey.PROXY)

#: Models and optimizers that open runs were given, to refuse the same one twice.
_given = Registry()


class Run:
    """A run in the making, or one that is over: `directory`, `history`, `coverage`, `cost`."""

    def __init__(
        self,
        config: Config,
        *,
        boundary: int | None = None,
        opened_at: Line | None = None,
        only_if_trained: bool = False,
        placed: bool = False,
    ) -> None:
        """With `placed`, `config.logdir` is where this very process records, whatever its rank."""
        self.config = config
        self._only_if_trained = only_if_trained
        self.started = time.time()
        self.open = False
        self.conclusion: Conclusion | None = None
        self._guard = Guard(strict=config.strict)
        self.outlet = Outlet(config, self._guard, self._first_record, placed=placed)
        self.name = config.name or self.outlet.name
        self._recorder = Recorder(self._guard, self.outlet, self._may_write)
        transfer = self._recorder.buffer.transfer
        self._models = Models()
        self._surroundings = Surroundings(
            self._models.name_of,
            config.include,
            config.exclude,
            self._models.is_embedding,
            directory=lambda: self.directory if self.outlet.has_sinks else None,
            transfer=transfer,
        )
        self._metrics = metrics.create(config.metrics, self._surroundings)
        self._models.features = any(FeaturesSeen in metric.listens for metric in self._metrics)
        self._meter = Meter()
        self._budget = Budget(
            self._meter,
            (config.budget, config.budget_after),
            self._surroundings.intervals,
            self._tell_interval,
        )
        listeners = _listeners(self._metrics)
        listeners.setdefault(LoaderStarted, []).append(("flush", self._recorder.hurry))
        self._meter.divide(listeners, _parts(self._metrics), self._guard)
        self._publish = self._guard.hand_out(listeners)
        scope = LoopScope(boundary, opened_at, Stated(config.epoch, config.phase), self._guard)
        self._capture = Capture(
            scope,
            self._publish,
            self._recorder.add,
            self._models,
            transfer.value_if_whole,
        )
        self._surroundings.class_names = self._capture.classes.names
        self.settled = Settled(
            self._capture,
            scope,
            self._meter,
            self._guard,
            self,
            transfer=transfer,
            keepers_for=self._keepers_for,
        )
        self._capture.training.snapshot_due = self._snapshot_due
        self._capture.evaluation.wants_calls = self._watch_calls
        self._capture.training.looked_at = self._surroundings.looked_at
        self._inventory = Inventory(self._models, self._capture.training.streams)
        self._said: dict[str, Any] = {}
        self._see = self._guard.hand_out(
            {kind: [("capture", handler)] for kind, handler in self._capture.handlers.items()}
        )
        self._schedules: dict[Any, Schedule] = {}
        #: Of each part that the budget has touched: its interval, and the step it began at.
        self._intervals: dict[str, tuple[int, int]] = {}
        self._elsewhere = Elsewhere()
        self._busy = False
        self.trained_by: Any = None
        self._pid = os.getpid()
        self._thread = get_ident()
        # When whoever shows the run live hears next how far an evaluation has come.
        self._tell_at = 0.0
        self._missing: list[str] = []

    # -- life ------------------------------------------------------------------------------------

    def give(
        self,
        things: Iterable[tuple[str | None, Any]],
        claimed: Iterable[tuple[str | None, Any]] = (),
    ) -> None:
        """Take models and optimizers that the person handed over, with their names where known.

        Neither they nor those `claimed` may be given to another run while this one is open.
        """
        things = list(things)
        self._guard.call("discovery", self._claim, [*things, *claimed])
        for name, thing in things:
            self._guard.call("discovery", self._know, name, thing)

    def _claim(self, things: list[tuple[str | None, Any]]) -> None:
        for _, thing in things:
            _given.set(thing, self)

    def refuse_nested(self, things: Iterable[tuple[str | None, Any]]) -> None:
        """Raise NestedRunError when another open run was given one of `things`."""
        for name, thing in things:
            other = _given.get(thing)
            if other is not None and other is not self:
                msg = (
                    f"{name or type(thing).__name__} is tracked by the run {other.name!r} that is "
                    "still open; end that one first, or track it once"
                )
                raise NestedRunError(msg)

    def _know(self, name: str | None, thing: Any) -> None:
        if isinstance(thing, torch.nn.Module):
            self._models.add(name or "model", thing)
        else:
            self._capture.training.optimizers.add(thing, name).given = True

    def start(self) -> None:
        """Install the hooks; from now on events are taken."""
        try:
            for criterion in self.config.criterion or ():
                self._models.watch_stated(criterion)
        except UsageError:
            self._models.release()
            raise
        self._missing = self._guard.call("hooks", observers.acquire) or []
        self.open = True
        # A generator that nobody closes is found when PyTorch can no longer be used.
        atexit.register(self.finish)

    def finish(self, error: BaseException | None = None) -> None:
        """End the run: undo the hooks, close the passes, write what is left."""
        if not self.open:
            return
        atexit.unregister(self.finish)
        self.open = False
        try:
            self._guard.call("models", self._let_go)
        finally:
            if "hooks" not in self._guard.failed:
                self._guard.call("hooks", observers.release)
        if os.getpid() != self._pid:
            return
        self._busy = True
        self._guard.call("capture", self.settled.hand_back)
        self._guard.call("capture", self._capture.end, failed=error is not None)
        self._guard.call("end", self._tell_end, "failure" if error is not None else "success")
        self._guard.call("facts", self._write_facts, error)
        self._guard.call("coverage", self._write_coverage)
        self.flush()
        self._guard.call("findings", self._write_findings)
        self.flush()
        self._guard.call("sinks", self.outlet.close)
        self._busy = False

    def _tell_end(self, ended: str) -> None:
        if not self.outlet.is_open:
            self._guard.call("flush", self._recorder.write)
        here = self._capture.training.position()
        row = Row(here.steps, time.time(), ended=ended, counted=here.counted, by_steps=True)
        self._publish(RunEnded(row))
        self._recorder.add(row, None)

    def _let_go(self) -> None:
        _given.forget(self)
        self._models.release()

    # -- events ----------------------------------------------------------------------------------

    @observers.uncompiled
    def emit(self, event: Any) -> None:
        """Take one event, or a `partial` that reads one.

        What autotrack itself does meanwhile is not observed, nor is another thread.
        """
        # Reading a number while TorchScript traces would be traced, and warned of; while a
        # compiler or an exporter runs code on tensors without numbers there is none to read.
        if (
            self._busy
            or self.outlet.silent
            or not self.open
            or graphs.capturing
            or (get_ident() != self._thread and not self._comes_along())
            or _is_tracing()
            or compiler._is_compiling_flag
            or (_modes() and _stands_in())
        ):
            return
        if _transform() is not None:
            # Inside `torch.func` tensors stand for others and hold no numbers.
            self._elsewhere.transforms += 1
            return
        began = time.perf_counter()
        self._busy = True
        try:
            if self.settled.stage:
                self._guard.call("capture", self.settled.hand_back)
            self._see(event)
            # Any event may find rows due: the last step's own would wait for a whole evaluation.
            if began >= self._recorder.due_at:
                self._guard.call("flush", self._flush_when_due, first=began)
            if began >= self._tell_at:
                self._tell_at = began + _TELL_SECONDS
                self._guard.call("live", self._tell_progress)
        finally:
            self._busy = False
            meter = self._meter
            meter.latest = ended = time.perf_counter()
            meter.seconds += ended - began

    @contextlib.contextmanager
    def unseen(self) -> Iterator[None]:
        """Take no event meanwhile."""
        busy, self._busy = self._busy, True
        try:
            yield
        finally:
            self._busy = busy

    def _tell_progress(self) -> None:
        """Let the sinks that show it know how far an evaluation has come: it writes no record."""
        progress = self._capture.evaluation.progress
        if progress is not None:
            self.outlet.tell(*progress)

    # -- settled steps ---------------------------------------------------------------------------

    @property
    def records(self) -> bool:
        """Whether what is taken goes anywhere."""
        return self._recorder.takes_rows and "capture" not in self._guard.failed

    def undisturbed(self) -> bool:
        """Whether what happens now is the training's, and its tensors hold numbers."""
        return not (
            self._busy
            or graphs.capturing
            or _is_tracing()
            or compiler._is_compiling_flag
            or (_modes() and _stands_in())
            or _transform() is not None
        )

    def due(self) -> float:
        """When, by the performance counter, rows that wait or come next must be written."""
        return self._recorder.next_due

    def flush_due(self) -> None:
        """Write what is due."""
        self._busy = True
        try:
            began = time.perf_counter()
            self.settled.fold()
            self._guard.call("flush", self._flush_when_due, began)
        finally:
            self._busy = False

    def add_block(self, block: Block, stream: Any) -> None:
        """Take finished steps."""
        self._recorder.add(block, stream)

    def quiet_epochs(self, stream: Any) -> float:
        """How many epochs of one step each begin before the next snapshot."""
        return self._schedules[stream].quiet

    def lets_last_batch_pass(self, stream: Any) -> bool:
        """Whether the step with the last batch of a pass gets no snapshot."""
        return self._schedules[stream].lets_pass(stream.epoch)

    def epochs_passed(self, stream: Any, epochs: int) -> None:
        """So many of them have begun."""
        self._schedules[stream].pass_by(epochs, stream.epoch)

    def _keepers_for(self, pattern: Pattern) -> list[Keeper] | None:
        keepers = []
        for metric in self._metrics:
            part = type(metric).__name__
            if part in self._guard.failed:
                continue
            keeper = self._guard.call(part, metric.settle, pattern)
            if keeper is None:
                return None
            keeper.part = part
            keepers.append(keeper)
        return keepers

    def _comes_along(self) -> bool:
        """Whether this run goes on in the thread that calls, and not where it was."""
        idle = not self._capture.training.seen.backwards and not self._capture.loaders.passes
        comes = self._guard.call("threads", self._elsewhere.follows, self._thread, idle=idle)
        if comes:
            self._thread = get_ident()
        return bool(comes)

    def _watch_calls(self) -> None:
        self.trained_by = None

    def _snapshot_due(self, stream: Any, last_batch: bool) -> bool:  # noqa: FBT001 - a callback
        schedule = self._schedules.get(stream)
        if schedule is None:
            stretch = self._budget.intervals[SNAPSHOTS]
            schedule = self._schedules[stream] = Schedule(self.config.histograms, stretch)
        if self._inventory.has_news(stream):
            self._guard.call("inventory", self._inventory.look, stream)
        return schedule.due(stream.steps, stream.epoch, last_batch=last_batch)

    # -- records ---------------------------------------------------------------------------------

    def log(self, name: str, value: Any) -> None:
        """Record a person's own number at the current step.

        Raises UsageError where `value` is not a number or a one-element tensor, or a DTensor of
        which this process holds a part.
        """
        try:
            number: Any = value if isinstance(value, torch.Tensor) else float(value)
        except (TypeError, ValueError) as error:
            msg = f"log({name!r}, ...) takes one number; got {value!r}"
            raise UsageError(msg) from error
        if isinstance(number, torch.Tensor) and number.numel() != 1:
            msg = f"log({name!r}, ...) takes one number; this tensor has {number.numel()}"
            raise UsageError(msg)
        if isinstance(number, torch.Tensor):
            if graphs.capturing:
                return
            number = self._recorder.buffer.transfer.value_if_whole(number)
            if number is None:
                msg = (
                    f"log({name!r}, ...) takes a whole number: full_tensor() makes one of the parts"
                )
                raise UsageError(msg)
        self._guard.call("capture", self.settled.fold)
        here = self._capture.training.position()
        row = Row(max(here.steps - 1, 0), time.time(), scalars=[(name, number)])
        row.counted, row.by_steps = here.counted, True
        self._recorder.add(row, None)

    def _flush_when_due(self, since: float | None = None, first: float | None = None) -> None:
        began = time.perf_counter()
        if self._meter.first is None:
            # When the first event came: what it took is a part of the loop's time, as of ours.
            self._meter.first = began if first is None else first
            self._recorder.begin(began)
        elif not self._recorder.buffer.is_empty:
            self._recorder.flush(began=since)
            self._meter.add("writing", time.perf_counter() - began)
            self._guard.call("budget", self._budget.look)

    def _tell_interval(self, part: str, every: int) -> None:
        """Put a new interval in force, and into the record."""
        self._guard.call("capture", self.settled.fold)
        for schedule in self._schedules.values():
            schedule.stretch = self._budget.intervals[SNAPSHOTS]
        steps = self._capture.training.position().steps
        self._intervals[part] = (every, steps)
        row = Row(steps, time.time(), hidden=[(f"autotrack/interval/{part}", every)])
        self._recorder.add(row, None)

    def flush(self, *, wait: bool = False) -> None:
        """Write what is known so far; with `wait` also what is still on its way from a device."""
        self._guard.call("flush", self._recorder.flush, wait=wait)

    def _may_write(self) -> bool:
        """Bring the rows and the names of their streams up to date: are they to be written?"""
        self.settled.fold()
        settle_names(self._capture.training.streams)
        return self.trained or not self._only_if_trained

    def _first_record(self) -> Record:
        from autotrack import facts

        streams = [s.name for s in self._capture.training.streams if s.suffix]
        self._said = {
            "started": self.started,
            "name": self.name,
            "torch": torch.__version__,
            **(self._guard.call("facts", facts.at_start) or {}),
            **(self._guard.call("inventory", self._inventory.facts) or {}),
            **self._class_names(),
        }
        return facts.first_record(self._said, self.config.config, streams, _options(self.config))

    def _write_facts(self, error: BaseException | None) -> None:
        """Add what has become known since the first record was written."""
        from autotrack import facts

        if not self.outlet.is_open:
            self._guard.call("flush", self._recorder.write)
        self._guard.call("inventory", self._inventory.look)
        known = {
            **facts.at_end(self._said, error),
            **(self._guard.call("inventory", self._inventory.facts) or {}),
            **self._class_names(),
        }
        news = {key: value for key, value in known.items() if self._said.get(key) != value}
        row = Row(0, time.time(), hidden=[("autotrack/run", facts.as_json(news))])
        self._recorder.buffer.add(row, None)

    def _class_names(self) -> dict[str, Any]:
        known = self._capture.classes.known
        return {"classes": [list(names) for names in known]} if known else {}

    # -- what a person may ask -------------------------------------------------------------------

    @property
    def directory(self) -> Path:
        """Where this process records."""
        return self.outlet.directory

    @property
    def trained(self) -> bool:
        """Whether a backward call was seen."""
        # Steps that have settled have been seen before.
        return self._capture.training.seen.backwards > 0

    @property
    def evaluated(self) -> bool:
        """Whether an evaluation was seen."""
        return bool(self._capture.evaluation.coverage.passes)

    @property
    def cost(self) -> Cost:
        """What autotrack's own work has taken of the loop's time so far."""
        self._guard.call("capture", self.settled.fold)
        return self._meter.cost

    @property
    def history(self) -> History:
        """The record read back from disk, up to now; empty as long as nothing is recorded."""
        from autotrack.history import empty, read

        was_busy, self._busy = self._busy, True
        try:
            self.flush(wait=True)
        finally:
            self._busy = was_busy
        return read(self.directory) if self.outlet.has_sinks else empty(self.directory)

    @property
    def coverage(self) -> Coverage:
        """What was hooked, whether it fired, and what is missing and why."""
        from autotrack.coverage import Account, describe

        self._guard.call("capture", self.settled.fold)
        account = Account(
            self._capture,
            self._surroundings,
            self.outlet.tallies,
            self._guard.failed,
            self._elsewhere,
            frozenset(type(metric).__name__ for metric in self._metrics),
            snapshots=self.config.histograms > 0,
            missed=self._recorder.buffer.skipped,
            intervals=self._intervals,
        )
        coverage = describe(account, self._missing)
        if self.outlet.silent:
            note = f'rank {ranks.rank()} does not record; ranks="all" records each in rank<k>/'
            coverage.notes.insert(0, note)
        coverage.notes += self._device_notes()
        return coverage

    def _device_notes(self) -> list[str]:
        notes = []
        if graphs.replays:
            notes.append(
                f"CUDA graphs were replayed {graphs.replays} times; a replay makes no Python calls "
                "and nothing of it is recorded"
            )
        if skipped := self._recorder.buffer.skipped:
            notes.append(
                f"{skipped} steps of a fused optimizer turned out to be skipped by the gradient "
                "scaler and are not counted"
            )
        return notes

    def _write_coverage(self) -> None:
        self._recorder.buffer.add(self._coverage_row(), None)

    def _coverage_row(self) -> Row:
        self._guard.call("flush", self._recorder.write, wait=True)
        coverage = self.coverage
        row = Row(0, time.time(), texts=[("coverage", coverage.markdown())])
        row.hidden.append(("autotrack/coverage", coverage.json()))
        row.hidden.append(("autotrack/cost", self.cost.json()))
        return row

    def _write_findings(self) -> None:
        from autotrack.conclusion import conclude

        if self.outlet.has_sinks and self.outlet.written <= _MOST_ROWS_JUDGED:
            self.conclusion = conclude(self.directory, strict=self._guard.strict)
            if self.conclusion is not None:
                self._recorder.buffer.add(self.conclusion.row(), None)

    def __repr__(self) -> str:
        state = "open" if self.open else "over"
        return f"<autotrack run {self.name!r} in {self.directory}, {state}>"

    # -- being the active run --------------------------------------------------------------------

    def __enter__(self) -> Self:
        # A context copied into another thread (`asyncio.to_thread`) carries the run along.
        self._thread = get_ident()
        self._token = context.enter(self)
        return self

    def __exit__(self, *_: object) -> None:
        context.leave(self._token)


def _stands_in() -> bool:
    return any(_mode(key) is not None for key in _STANDING_IN)


def _listeners(found: list[metrics.Metric]) -> Handlers:
    listeners: Handlers = {}
    for metric in found:
        for moment, method in metric.listens.items():
            pair = (type(metric).__name__, getattr(metric, method))
            listeners.setdefault(moment, []).append(pair)
    return listeners


def _parts(found: list[metrics.Metric]) -> dict[str, str]:
    """Return the names by which people choose the metrics, by the names of their classes."""
    kinds = [type(metric) for metric in found]
    return {kind.__name__: kind.__module__.rpartition(".")[2] for kind in kinds}


def _options(config: Config) -> dict[str, Any]:
    return {
        f.name: getattr(config, f.name) for f in dataclasses.fields(config) if f.name != "config"
    }
