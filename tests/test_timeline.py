"""Step and epoch numbers never go back, whatever the order of events."""

from __future__ import annotations

import sys

import torch
from hypothesis import given, settings
from hypothesis import strategies as st

from autotrack import events as e
from autotrack.capture.capture import Capture
from autotrack.capture.models import Models
from autotrack.guard import Guard
from autotrack.identity import Identities
from autotrack.loopscope import LoopScope
from autotrack.timeline import MOST_LOADERS, STRETCH, EpochCounter, LoaderClock, Stretch

LOOPS = st.sampled_from(["first", "second", "third"])
SHOWN = st.lists(st.tuples(LOOPS, st.integers(-3, 30)), min_size=1, max_size=60)


@given(SHOWN)
def test_epoch_numbers_never_go_back(shown):
    counter = EpochCounter()
    given_numbers = [counter.at(loop, number) for loop, number in shown]
    assert given_numbers == sorted(given_numbers)


@given(st.integers(-5, 50), st.integers(1, 20))
def test_a_loop_that_counts_up_keeps_its_own_numbers(first, count):
    counter = EpochCounter()
    own = list(range(first, first + count))
    assert [counter.at("loop", number) for number in own for _ in range(2)] == [
        number for number in own for _ in range(2)
    ]


@given(st.lists(st.integers(1, 6), min_size=1, max_size=6))
def test_numbering_runs_on_where_the_loop_starts_over(folds):
    counter = EpochCounter()
    numbers = [counter.at("loop", number) for fold in folds for number in range(fold)]
    # by hand: a fold of one epoch after another shows 0 again, which no counter can tell apart
    expected, last = [], None
    for fold in folds:
        for number in range(fold):
            if number != last:
                expected.append(len(set(expected)))
            else:
                expected.append(expected[-1])
            last = number
    assert numbers == expected


@given(SHOWN, st.tuples(LOOPS, st.integers(-3, 30)))
def test_peek_says_what_at_would_and_changes_nothing(shown, following):
    counter = EpochCounter()
    for loop, number in shown:
        counter.at(loop, number)
    seen = [counter.peek(*following) for _ in range(3)]
    assert seen == [counter.at(*following)] * 3


LOADERS = st.integers(0, 2)
CLOCK_EVENTS = st.lists(
    st.tuples(st.sampled_from(["started", "loaded", "finished", "train"]), LOADERS), max_size=120
)


@given(CLOCK_EVENTS)
def test_passes_over_loaders_are_counted_up(happened):
    clock, numbers = LoaderClock(), []
    for what, loader in happened:
        if what == "started":
            clock.started(loader, 4)
        elif what == "train":
            numbers.append(clock.train(loader))
        else:
            getattr(clock, what)(loader)
    known = [number for number in numbers if number is not None]
    assert known == sorted(known)
    assert all(number >= 0 for number in known)


@given(st.lists(st.integers(1, 5), min_size=1, max_size=8), st.booleans())
def test_the_epoch_is_the_number_of_the_pass_over_the_training_loader(passes, evaluates):
    clock, numbers, expected = LoaderClock(), [], []
    for epoch, batches in enumerate(passes):
        clock.started(7, 5)
        for _ in range(batches + 1):
            clock.loaded(7)
            numbers.append(clock.train(7))
            expected.append(epoch)
        clock.finished(7)
        if evaluates:
            clock.started(8, 1)
            clock.loaded(8)
            clock.finished(8)
    assert numbers == expected


@given(st.integers(1, 500), st.booleans())
def test_a_stretch_is_full_after_its_steps_until_something_is_evaluated(steps, evaluated):
    stretch = Stretch(evaluated=evaluated)
    full = [stretch.step() for _ in range(steps)]
    assert full == [not evaluated and number >= STRETCH for number in range(1, steps + 1)]


# -- the numbering behind it, through events that never happened -----------------------------------


class Loader:
    """Enough of a DataLoader to be counted."""

    _dataset_kind = 0

    def __len__(self) -> int:
        return 3


class Fake:
    """A run without PyTorch's doings: events go in, moments and rows come out."""

    def __init__(self, boundary: int) -> None:
        self.moments: list[object] = []
        self.rows: list[tuple[object, object]] = []
        self.capture = Capture(
            LoopScope(boundary),
            self.moments.append,
            lambda row, stream: self.rows.append((row, stream)),
            Models(),
            lambda tensor: float(tensor.detach()),
        )
        self.weight = torch.nn.Parameter(torch.ones(2))
        self.model = torch.nn.ParameterList([self.weight])
        self.optimizer = torch.optim.SGD([self.weight], lr=0.0)
        self.loaders = [Loader(), Loader()]
        self.guard = Guard(strict=True)

    def see(self, event: object) -> None:
        self.guard.call("capture", self.capture.handlers[type(event)], event)

    def do(self, what: str) -> None:
        getattr(self, what)()

    def backward(self) -> None:
        loss = torch.nn.functional.mse_loss(self.weight, torch.zeros(2))
        self.see(e.LossComputed("mse_loss", loss, self.weight, torch.zeros(2), "mean"))
        self.see(e.BackwardStarted((loss,), (None,)))
        loss.backward()
        self.see(e.BackwardDone())

    def backward_that_raises(self) -> None:
        loss = self.weight.sum()
        self.see(e.BackwardStarted((loss,), (None,)))
        self.see(e.BackwardDone(completed=False))

    def step(self) -> None:
        self.see(e.StepStarted(self.optimizer))
        self.see(e.StepDone(self.optimizer))

    def zero(self) -> None:
        self.see(e.GradientsZeroed(self.optimizer))
        self.optimizer.zero_grad()

    def evaluate(self) -> None:
        with torch.no_grad():
            target = torch.zeros(2)
            loss = torch.nn.functional.mse_loss(self.weight, target)
        self.see(e.LossComputed("mse_loss", loss, self.weight.detach().clone(), target, "mean"))

    def start_training_loader(self) -> None:
        self.see(e.LoaderStarted(self.loaders[0]))

    def load_training_batch(self) -> None:
        self.see(e.BatchLoaded(self.loaders[0], torch.ones(2)))

    def finish_training_loader(self) -> None:
        self.see(e.LoaderFinished(self.loaders[0]))

    def start_other_loader(self) -> None:
        self.see(e.LoaderStarted(self.loaders[1]))

    def load_other_batch(self) -> None:
        self.see(e.BatchLoaded(self.loaders[1], torch.ones(2)))

    def finish_other_loader(self) -> None:
        self.see(e.LoaderFinished(self.loaders[1]))

    def clip(self) -> None:
        self.see(e.ClippingStarted([self.weight]))


DOINGS = [
    name
    for name, thing in vars(Fake).items()
    if callable(thing) and not name.startswith("_") and name not in ("see", "do")
]


def points_of(moments, stream):
    """The places of the passes that have seen a batch: the others have no point."""
    points, batches = [], 0
    for moment in moments:
        if isinstance(moment, e.TrainBatchSeen) and moment.stream is stream:
            batches += 1
        elif isinstance(moment, e.TrainPassEnded) and moment.stream is stream:
            points += [moment.row.x] if batches else []
            batches = 0
    return points


@settings(max_examples=40)
@given(st.lists(st.sampled_from(DOINGS), max_size=40), st.booleans())
def test_whatever_happens_numbers_go_up_and_evaluation_is_no_training(happened, failed):
    run = Fake(id(sys._getframe()))
    for what in happened:
        run.do(what)
    run.capture.end(failed=failed)

    steps = [m for m in run.moments if isinstance(m, e.StepTaken)]
    for stream in {id(m.stream): m.stream for m in steps}.values():
        own = [m for m in steps if m.stream is stream]
        assert [m.step for m in own] == list(range(len(own)))
        epochs = [m.epoch for m in own if m.epoch is not None]
        assert epochs == sorted(epochs)
        ended = points_of(run.moments, stream)
        assert ended == sorted(ended)
    with_optimizer = [m for m in steps if m.stream.optimizer is not None]
    assert len(with_optimizer) == happened.count("step")

    # a pass that has seen a batch ends once or was discarded; an exception leaves the last open
    seen = {id(m.evaluation) for m in run.moments if isinstance(m, e.EvaluationBatchSeen)}
    over = [m for m in run.moments if isinstance(m, (e.EvaluationPassEnded, e.PassDiscarded))]
    ids = [id(m.evaluation) for m in over]
    assert len(ids) == len(set(ids))
    assert set(ids) <= seen
    assert len(seen - set(ids)) <= int(failed)

    # every batch that counted in training came from a backward call that ran
    counted = [m.batch for m in run.moments if isinstance(m, e.TrainBatchSeen)]
    assert len(counted) == len({id(batch) for batch in counted})
    assert len(counted) <= happened.count("backward")


def test_a_loader_of_its_own_for_every_step_costs_no_memory():
    clock, identities, numbers = LoaderClock(), Identities(), []
    for step in range(3 * MOST_LOADERS):
        loader = Loader()
        number = identities.of(loader)
        clock.started(number, 2)
        clock.loaded(number)
        clock.train(number)
        if step % 2:
            clock.finished(number)
        numbers.append(number)
        del loader
    assert len(set(numbers)) == len(numbers)
    assert not identities._known
    for kept in (clock.passes, clock.trained, clock.sampled):
        assert len(kept) <= MOST_LOADERS
