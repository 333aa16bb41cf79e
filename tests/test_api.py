"""What a person calls: track, tracking, report, log."""

from __future__ import annotations

import asyncio
import copy
import inspect
import multiprocessing
import pickle
import subprocess
import sys
import typing
from pathlib import Path

import numpy as np
import pytest
import torch
from torch import nn
from torch.nn import functional as F

import autotrack
from autotrack.context import active
from autotrack.errors import NestedRunError, NoRunError, RecordNotFoundError, UsageError

SOURCE = str(Path(__file__).resolve().parent.parent)


def step(value: float = 1.0) -> float:
    """One step whose loss is `value` squared."""
    model = nn.Linear(1, 1, bias=False)
    optimizer = torch.optim.SGD(model.parameters(), lr=0.0)
    nn.init.constant_(model.weight, value)
    loss = F.mse_loss(model(torch.ones(1, 1)), torch.zeros(1, 1))
    loss.backward()
    optimizer.step()
    return loss.item()


def losses(directory: str = "run") -> list[float]:
    return autotrack.read(directory)["Loss/train"].value.tolist()


def plain(first: float, second: float = 3.0, *, third: float = 4.0) -> list[float]:
    """Train three steps."""
    return [step(first), step(second), step(third)]


@autotrack.track
def bare(first: float, second: float = 3.0, *, third: float = 4.0) -> list[float]:
    """Train three steps."""
    return [step(first), step(second), step(third)]


@autotrack.track(logdir="run", name="mine")
def with_options(first: float, second: float = 3.0, *, third: float = 4.0) -> list[float]:
    """Train three steps."""
    return [step(first), step(second), step(third)]


class Trainer:
    """Every kind of method, tracked in both orders of decorators."""

    def __init__(self, value: float = 2.0) -> None:
        self.value = value

    @autotrack.track(logdir="run")
    def method(self, more: float = 0.0) -> float:
        """Train by an instance."""
        return step(self.value + more)

    @autotrack.track(logdir="run")
    @staticmethod
    def outer_static(value: float) -> float:
        """Train by nobody."""
        return step(value)

    @staticmethod
    @autotrack.track(logdir="run")
    def inner_static(value: float) -> float:
        """Train by nobody."""
        return step(value)

    @autotrack.track(logdir="run")
    @classmethod
    def outer_class(cls, value: float) -> tuple[str, float]:
        """Train by a class."""
        return cls.__name__, step(value)

    @classmethod
    @autotrack.track(logdir="run")
    def inner_class(cls, value: float) -> tuple[str, float]:
        """Train by a class."""
        return cls.__name__, step(value)


class Heir(Trainer):
    """Inherits every one of them."""


# -- track -----------------------------------------------------------------------------------------


def test_a_bare_decorator_tracks():
    assert bare(2.0) == [4.0, 9.0, 16.0]
    (directory,) = Path("runs").iterdir()
    assert losses(str(directory)) == [4.0, 9.0, 16.0]


def test_a_decorator_with_options_tracks_and_every_call_is_a_run():
    assert with_options(2.0) == [4.0, 9.0, 16.0]
    assert with_options(first=5.0, third=0.0) == [25.0, 9.0, 0.0]
    assert losses("run") == [4.0, 9.0, 16.0]
    assert losses("run-2") == [25.0, 9.0, 0.0]
    assert autotrack.read("run").run["name"] == "mine"


@pytest.mark.parametrize("owner", [Trainer, Heir])
@pytest.mark.parametrize("through", ["instance", "class"])
def test_methods_of_every_kind(owner, through):
    thing = owner() if through == "instance" else owner
    assert owner(3.0).method(1.0) == owner.method(owner(3.0), 1.0) == 16.0
    assert thing.outer_static(2.0) == thing.inner_static(2.0) == 4.0
    assert thing.outer_class(2.0) == thing.inner_class(2.0) == (owner.__name__, 4.0)
    found = [losses(f"run-{n}" if n > 1 else "run") for n in range(1, 7)]
    assert found == [[16.0], [16.0], [4.0], [4.0], [4.0], [4.0]]


def test_nothing_of_the_function_is_lost():
    for tracked in (bare, with_options):
        assert tracked.__name__ in ("bare", "with_options")
        assert tracked.__qualname__ == tracked.__name__
        assert tracked.__module__ == __name__
        assert tracked.__doc__ == inspect.getdoc(tracked) == plain.__doc__
        assert inspect.signature(tracked) == inspect.signature(plain)
        assert inspect.getfullargspec(tracked) == inspect.getfullargspec(plain)
        assert typing.get_type_hints(tracked) == typing.get_type_hints(plain)
        assert inspect.isfunction(tracked)
        assert f"def {tracked.__name__}(" in inspect.getsource(tracked)
        assert inspect.getsourcefile(tracked) == __file__
        assert callable(tracked)
        assert not inspect.iscoroutinefunction(tracked)
    method = Trainer().method
    assert inspect.ismethod(method)
    assert method.__func__.__name__ == "method"
    assert str(inspect.signature(method)) == "(more: 'float' = 0.0) -> 'float'"
    assert str(inspect.signature(Trainer.method)) == "(self, more: 'float' = 0.0) -> 'float'"
    assert inspect.getdoc(Trainer.outer_class) == "Train by a class."


def test_functions_and_methods_are_pickled_and_copied():
    trainer = Trainer(3.0)
    assert pickle.loads(pickle.dumps(bare)) is bare  # noqa: S301 - our own bytes
    assert copy.deepcopy(bare) is copy.copy(bare) is bare
    method = pickle.loads(pickle.dumps(trainer.method))  # noqa: S301 - our own bytes
    assert method() == copy.deepcopy(trainer.method)() == copy.copy(trainer.method)() == 9.0
    assert copy.deepcopy(trainer.method).__self__ is not trainer
    assert copy.deepcopy(trainer).method() == 9.0
    for name in ("outer_static", "inner_static", "outer_class", "inner_class", "method"):
        again = pickle.loads(pickle.dumps(getattr(Trainer, name)))  # noqa: S301 - our own bytes
        result = again(trainer) if name == "method" else again(3.0)
        assert result in (9.0, ("Trainer", 9.0))


def test_a_tracked_function_runs_in_a_spawned_process():
    with multiprocessing.get_context("spawn").Pool(1) as pool:
        assert pool.apply(with_options, (2.0,)) == [4.0, 9.0, 16.0]
    assert losses("run") == [4.0, 9.0, 16.0]


def test_what_is_no_function_is_refused():
    for wrong in (3, "train", None.__class__.__name__):
        with pytest.raises(UsageError, match="function"):
            autotrack.track(wrong)


def test_wrong_arguments_are_the_callers_own_error():
    with pytest.raises(TypeError, match="first"):
        bare()
    assert active() is None


def test_tracked_functions_may_call_each_other():
    @autotrack.track(logdir="outer")
    def outer():
        step(2.0)
        with_options(5.0)
        step(3.0)

    outer()
    assert losses("outer") == [4.0, 9.0]
    assert losses("run") == [25.0, 9.0, 16.0]


# -- generators and coroutines ---------------------------------------------------------------------


@autotrack.track(logdir="run")
def conversation(first):
    """Train on what is sent."""
    value, caught = first, []
    try:
        while value:
            try:
                value = yield step(value)
            except KeyError as error:
                caught.append(str(error))
                value = 7.0
    finally:
        step(100.0)
    return caught


def test_generators_send_throw_and_return():
    assert inspect.isgeneratorfunction(conversation)
    talk = conversation(2.0)
    assert inspect.isgenerator(talk)
    assert not Path("run").exists()
    assert next(talk) == 4.0
    # between two items the consumer's own training is not the generator's
    step(50.0)
    assert active() is None
    assert talk.send(3.0) == 9.0
    assert talk.throw(KeyError("mine")) == 49.0
    with pytest.raises(StopIteration) as over:
        talk.send(None)
    assert over.value.value == ["'mine'"]
    assert losses("run") == [4.0, 9.0, 49.0, 10000.0]


def test_generators_are_closed():
    talk = conversation(2.0)
    next(talk)
    talk.close()
    assert losses("run") == [4.0, 10000.0]
    with pytest.raises(StopIteration):
        next(talk)


def test_a_generator_that_raises_raises():
    @autotrack.track(logdir="run")
    def failing():
        yield step(2.0)
        raise KeyError("mine")

    talk = failing()
    next(talk)
    with pytest.raises(KeyError, match="mine"):
        next(talk)
    assert losses("run") == [4.0]


def test_generators_take_turns_each_in_its_run():
    talks = [conversation(2.0), conversation(3.0)]
    assert [next(talk) for talk in talks] == [4.0, 9.0]
    assert [talk.send(5.0) for talk in reversed(talks)] == [25.0, 25.0]
    for talk in talks:
        talk.close()
    assert losses("run") == [4.0, 25.0, 10000.0]
    assert losses("run-2") == [9.0, 25.0, 10000.0]


def test_coroutines():
    @autotrack.track(logdir="run")
    async def train(value):
        step(value)
        await asyncio.sleep(0)
        return step(value + 1)

    async def side_by_side():
        other = asyncio.create_task(asyncio.sleep(0, step(50.0)))
        found = await asyncio.gather(train(2.0), train(10.0))
        await other
        return found

    assert inspect.iscoroutinefunction(train)
    assert asyncio.run(side_by_side()) == [9.0, 121.0]
    assert sorted([losses("run"), losses("run-2")]) == [[4.0, 9.0], [100.0, 121.0]]


@autotrack.track(logdir="run")
async def stream(first):
    """Train on what is sent, asynchronously."""
    value = first
    try:
        while value:
            try:
                value = yield step(value)
            except KeyError:
                value = 7.0
            await asyncio.sleep(0)
    finally:
        step(100.0)


def test_async_generators_send_throw_and_close():
    async def talk():
        assert inspect.isasyncgenfunction(stream)
        source = stream(2.0)
        found = [await source.asend(None), await source.asend(3.0)]
        step(50.0)
        found.append(await source.athrow(KeyError("mine")))
        await source.aclose()
        return found

    assert asyncio.run(talk()) == [4.0, 9.0, 49.0]
    assert losses("run") == [4.0, 9.0, 49.0, 10000.0]


# -- tracking --------------------------------------------------------------------------------------


def things(names):
    model, other = nn.Linear(1, 1), nn.Linear(1, 1)
    known = {
        "model": model,
        "other": other,
        "optimizer": torch.optim.SGD(model.parameters(), lr=0.1),
        "second": torch.optim.Adam(other.parameters(), lr=0.1),
    }
    return known, [known[name] for name in names]


@pytest.mark.parametrize(
    "names",
    [
        [],
        ["model"],
        ["optimizer"],
        ["optimizer", "model"],
        ["second", "other", "model", "optimizer"],
    ],
)
def test_any_number_of_models_and_optimizers_in_any_order(names):
    known, given = things(names)
    with autotrack.tracking(*given, logdir="run") as run:
        for _ in range(3):
            F.mse_loss(known["model"](torch.ones(1, 1)), torch.zeros(1, 1)).backward()
            known["optimizer"].step()
    found = [s for tag, s in run.history.items() if (tag + "/").startswith("Loss/train/")]
    assert [series.x.tolist() for series in found] == [[0, 1, 2]]


@pytest.mark.parametrize("wrong", [3, "model", [nn.Linear(1, 1)], nn.Linear, None])
def test_what_is_neither_model_nor_optimizer_is_refused(wrong):
    with pytest.raises(UsageError, match=f"models and optimizers, not an? {type(wrong).__name__}"):
        autotrack.tracking(nn.Linear(1, 1), wrong)
    assert active() is None


def test_the_run_is_live_inside_the_block():
    with autotrack.tracking(logdir="run") as run:
        assert active() is run
        assert run.open
        step(2.0)
        assert run.history["Loss/train"].value.tolist() == [4.0]
        step(3.0)
        assert run.history["Loss/train"].value.tolist() == [4.0, 9.0]
        assert run.directory == Path("run")
    assert active() is None
    assert not run.open
    assert run.history["Loss/train"].value.tolist() == [4.0, 9.0]


def test_one_tracking_may_be_entered_again():
    again = autotrack.tracking(logdir="run")
    for value in (2.0, 3.0):
        with again:
            step(value)
    assert (losses("run"), losses("run-2")) == ([4.0], [9.0])


def test_an_optimizer_of_an_open_run_is_refused_in_a_tracked_function():
    known, _ = things([])

    @autotrack.track(logdir="inner")
    def train(optimizer):
        pytest.fail("the function must not run")

    with autotrack.tracking(known["optimizer"], logdir="outer") as run:
        with pytest.raises(NestedRunError, match=r"optimizer.*outer"):
            train(known["optimizer"])
        assert active() is run
        step(2.0)
    assert not Path("inner").exists()
    assert not any(Path().glob("inner*"))


# -- log -------------------------------------------------------------------------------------------


def test_own_numbers_stand_at_the_step():
    with autotrack.tracking(logdir="run"):
        autotrack.log("Own/before", 1)
        step()
        autotrack.log("Own/number", 0.5)
        step()
        autotrack.log("Own/number", torch.tensor([[2.5]], requires_grad=True))
        autotrack.log("Own/kinds", np.float32(1.5))
        autotrack.log("Own/kinds", True)
        autotrack.log("Own/kinds", float("inf"))
    history = autotrack.read("run")
    assert history["Own/before"].x.tolist() == [0]
    assert history["Own/number"].x.tolist() == [0, 1]
    assert history["Own/number"].value.tolist() == [0.5, 2.5]
    assert history["Own/kinds"].value.tolist() == [1.5, 1.0, float("inf")]


@pytest.mark.parametrize("wrong", ["many", None, [1.0], torch.ones(2), torch.ones(0)])
def test_what_is_no_number_is_refused_and_the_run_lives_on(wrong):
    with autotrack.tracking(logdir="run"):
        with pytest.raises(UsageError, match=r"log\('Own/number'.*one number"):
            autotrack.log("Own/number", wrong)
        step(2.0)
    assert losses() == [4.0]


# -- report ----------------------------------------------------------------------------------------


@pytest.fixture
def nothing_yet(monkeypatch):
    monkeypatch.setattr("autotrack.opening._last", None)


def names(report) -> set[str]:
    assert all(path.is_file() and path.stat().st_size > 0 for path in report.paths)
    return {path.name for path in report.paths}


def test_report_inside_after_and_from_the_directory():
    with autotrack.tracking(logdir="run") as run:
        step(2.0)
        step(3.0)
        inside = autotrack.report()
    after = autotrack.report()
    assert inside.directory == after.directory == Path("run/figures")
    # inside, the running pass has no point yet
    assert {"overview.png", "loss.png"} <= names(inside) <= names(after)
    assert names(autotrack.report(run, directory="elsewhere")) == names(after)
    assert names(autotrack.report("run", directory=Path("else/where"), formats=["svg", "pdf"])) == {
        "report.html",
        "findings.json",
        *(
            f"{Path(name).stem}.{kind}"
            for name in names(after)
            if name.endswith(".png")
            for kind in ("svg", "pdf")
        ),
    }
    assert {path.parent for path in (after.paths[0], after.paths[-1])} == {Path("run")}
    assert Path("elsewhere/loss.png").read_bytes()[:8] == b"\x89PNG\r\n\x1a\n"
    assert Path("else/where/loss.pdf").read_bytes()[:5] == b"%PDF-"
    assert b"<svg" in Path("else/where/loss.svg").read_bytes()


def test_report_in_another_process_without_torch():
    with autotrack.tracking(logdir="run"):
        step(2.0)
    script = (
        "import sys, autotrack; print(autotrack.report('run'));"
        "assert not {'torch', 'matplotlib.pyplot'} & set(sys.modules)"
    )
    done = subprocess.run(
        [sys.executable, "-c", script],
        env={"PYTHONPATH": SOURCE, "PATH": "", "HOME": str(Path.cwd())},
        capture_output=True,
        text=True,
        check=False,
    )
    assert done.returncode == 0, done.stderr
    assert "run/figures/loss.png" in done.stdout


def test_report_of_nothing_and_of_nonsense(nothing_yet):
    with pytest.raises(NoRunError, match=r"report\('"):
        autotrack.report()
    Path("empty").mkdir()
    with pytest.raises(RecordNotFoundError, match="empty"):
        autotrack.report("empty")
    with pytest.raises(UsageError, match=r"run or a directory.*3"):
        autotrack.report(3)
    with autotrack.tracking(logdir="run"):
        step()
    with pytest.raises(UsageError, match=r"gif.*png"):
        autotrack.report("run", formats=["gif"])
    assert not list(Path().rglob("*.gif"))


def test_a_tracked_function_refuses_a_model_that_is_tracked_already(tmp_path):
    model = torch.nn.Linear(2, 1)
    calls = []

    @autotrack.track(logdir=tmp_path / "inner")
    def evaluate(net):
        calls.append(net)

    with (
        autotrack.tracking(model, logdir=tmp_path / "outer"),
        pytest.raises(autotrack.AutotrackError, match="net is tracked by the run 'outer'"),
    ):
        evaluate(model)
    assert calls == []
    evaluate(model)
    assert calls == [model]


def test_a_model_whose_layers_have_no_shapes_yet_may_be_handed_over(tmp_path):
    model = torch.nn.Sequential(torch.nn.LazyLinear(3), torch.nn.ReLU(), torch.nn.LazyLinear(2))
    x, y = torch.randn(8, 4), torch.randint(0, 2, (8,))
    with autotrack.tracking(model, logdir=tmp_path) as run:
        model(x)
        optimizer = torch.optim.SGD(model.parameters(), lr=0.1)
        torch.nn.functional.cross_entropy(model(x), y).backward()
        optimizer.step()
    assert len(run.history["Loss/train"].value) == 1
