"""Training is sacred: tracked and untracked it ends bit for bit the same, whatever fails."""

from __future__ import annotations

import _thread
import copy
import functools
import gc
import importlib
import inspect
import io
import math
import os
import pickle
import pkgutil
import signal
import subprocess
import sys
import textwrap
import threading
import traceback
import tracemalloc
import weakref
from collections.abc import Iterator
from pathlib import Path
from types import CodeType, FunctionType, ModuleType
from typing import Any, NamedTuple

import pytest
import torch
from small_training import TRAININGS, digest, seed
from torch import nn
from torch.nn import functional as F
from torch.utils.data import DataLoader, TensorDataset
from untouched import differences, surfaces

import autotrack
from autotrack.context import active
from autotrack.errors import NestedRunError

# -- bit for bit -----------------------------------------------------------------------------------


@pytest.mark.parametrize("training", TRAININGS.values(), ids=TRAININGS.keys())
@pytest.mark.parametrize("way", ["tracking", "track", "everything given"])
def test_state_and_random_numbers_are_the_same(training, way):
    plain = training()
    if way == "track":
        tracked = autotrack.track(logdir="run")(training)()
    elif way == "tracking":
        with autotrack.tracking(logdir="run"):
            tracked = training()
    else:
        with autotrack.tracking(
            logdir="run", config={"lr": 0.1}, metrics=["+accuracy"], include=["*"], exclude=["x"]
        ):
            tracked = training()
    assert tracked == plain
    assert len(autotrack.read("run").get("Loss/train", ())) or autotrack.read("run").streams


OPTIMIZERS = {
    "sgd": functools.partial(torch.optim.SGD, lr=0.1, momentum=0.9, nesterov=True),
    "adam": functools.partial(torch.optim.Adam, lr=0.01, amsgrad=True),
    "adamw": functools.partial(torch.optim.AdamW, lr=0.01, foreach=True),
}
LOADING = {
    "in the process": {"num_workers": 0},
    "two workers": {"num_workers": 2},
    "workers that stay": {"num_workers": 2, "persistent_workers": True},
}


def shuffled_training(make_optimizer, loading, *, epochs=2):
    seed()
    x, y = torch.randn(24, 5), torch.randint(0, 3, (24,))
    model = nn.Sequential(nn.Linear(5, 8), nn.ReLU(), nn.Dropout(0.3), nn.Linear(8, 3))
    optimizer = make_optimizer(model.parameters())
    loader = DataLoader(TensorDataset(x, y), batch_size=6, shuffle=True, **loading)
    seen = []
    for _epoch in range(epochs):
        for inputs, labels in loader:
            seen.append(inputs.sum().item())
            optimizer.zero_grad()
            F.cross_entropy(model(inputs), labels).backward()
            optimizer.step()
    return digest(model, optimizer), seen


@pytest.mark.parametrize("optimizer", OPTIMIZERS.values(), ids=OPTIMIZERS.keys())
def test_dropout_and_shuffling_with_every_optimizer(optimizer):
    plain = shuffled_training(optimizer, LOADING["in the process"])
    with autotrack.tracking(logdir="run"):
        assert shuffled_training(optimizer, LOADING["in the process"]) == plain
    assert len(autotrack.read("run")["Loss/train"].x) == 8


@pytest.mark.parametrize("loading", ["two workers", "workers that stay"])
def test_loader_workers_draw_the_same_batches(loading):
    plain = shuffled_training(OPTIMIZERS["sgd"], LOADING[loading])
    with autotrack.tracking(logdir="run"):
        assert shuffled_training(OPTIMIZERS["sgd"], LOADING[loading]) == plain
    assert len(autotrack.read("run")["Loss/train"].x) == 8


# -- every part fails in turn ----------------------------------------------------------------------

# Read a record back, start the program, or hold values and do nothing: no part that can fail. The
# budget looks at a clock, so no training reaches it for sure; it is guarded like a flush.
_NOT_IN_THE_LOOP = frozenset(
    {
        "__main__",
        "api",
        "assembly",
        "budget",
        "cli",
        "columns",
        "config",
        "decorator",
        "events",
        "history",
        "launched",
        "opening",
    }
    | {"placement", "report", "reports", "runner", "series", "_startup", "_version"}
    | {"colours", "commands", "comparison", "doctor", "exporting"}
)
# Broken like every other part where a training reaches them; that needs a device other than the
# processor (tests/test_device.py), or a terminal or notebook to write to (tests/test_live.py).
_ELSEWHERE = ("devices", "pending", "transfer", "observers.cuda_graph")
_ELSEWHERE += tuple(f"sinks.{n}" for n in ("_curve", "_picture", "_standing", "_statusline"))
_ELSEWHERE += ("sinks.notebook", "sinks.terminal")
# What catches the failures of the others, what PyTorch calls and only passes on, and what undoes
# the patches: there is nothing below them.
_THE_NET = frozenset(
    {
        "observers.clipping._listed",
        "observers.model._CriterionEntered.__call__",
        "observers.model._CriterionLeft.__call__",
        "observers.model._Features.__call__",
        "observers.model._Forward.__call__",
        "observers.optimizer._step_done",
        "observers.optimizer._step_started",
        "run.Run._comes_along",
        "run.Run.give",
        "run.Run.refuse_nested",
        "run.Run.start",
        "context.take_newcomers",
        "context.Newcomer.emit",
        "context.Newcomer._run",
        "context.Newcomer.__getattr__",
        "context.enter",
        "context.leave",
        "guard.Guard.__init__",
        "guard.Guard.call",
        "guard.Guard.switch_off",
        "guard.attempt",
        "observers._patch._restore",
        "observers.release",
        "run.Run.__enter__",
        "run.Run.__exit__",
        "run.Run.emit",
        "run.Run.finish",
        "run.Run.flush",
    }
)


class Part(NamedTuple):
    """A function of autotrack: the module it is in, and the attribute that holds it."""

    room: str
    function: FunctionType
    owner: Any
    attribute: str


def parts() -> dict[str, Part]:
    """Every function and method of the capture by its dotted name."""
    found: dict[str, Part] = {}
    for module in _modules(autotrack):
        short = module.__name__.removeprefix("autotrack.")
        if short.partition(".")[0] not in _NOT_IN_THE_LOOP:
            found |= {
                f"{short}.{name}": Part(short, *place)
                for name, place in _functions(module)
                if f"{short}.{name}" not in _THE_NET
            }
    return found


def _modules(package: ModuleType) -> Iterator[ModuleType]:
    for entry in pkgutil.iter_modules(package.__path__, f"{package.__name__}."):
        if entry.name.split(".")[1] in _NOT_IN_THE_LOOP:
            continue
        module = importlib.import_module(entry.name)
        yield module
        if entry.ispkg:
            yield from _modules(module)


def _functions(module: ModuleType) -> Iterator[tuple[str, tuple[FunctionType, Any, str]]]:
    for name, thing in vars(module).items():
        if inspect.isfunction(thing) and thing.__module__ == module.__name__:
            yield name, (thing, module, name)
        elif inspect.isclass(thing) and thing.__module__ == module.__name__:
            for inner, member in vars(thing).items():
                function = getattr(member, "__func__", getattr(member, "fget", member))
                if inspect.isfunction(function):
                    yield f"{name}.{inner}", (function, thing, inner)


PARTS = parts()
ROOMS = sorted({part.room for part in PARTS.values()})


# What a broken part raises; its code needs no name, so that it can stand in for any other.
Broken = ZeroDivisionError


def _raise(*args, **kwargs):
    1 / 0  # noqa: B018 - raising is all it does


@functools.cache
def calls_of(training: str) -> frozenset[CodeType]:
    """The code objects of the parts that a tracked training calls."""
    called = set()

    def profile(frame, what, argument):
        if what == "call":
            called.add(frame.f_code)

    before = sys.getprofile()
    sys.setprofile(profile)
    try:
        with autotrack.tracking(logdir=f"profile-{training}", metrics=_ASKED_FOR):
            TRAININGS[training]()
    finally:
        sys.setprofile(before)
    return frozenset(called & {part.function.__code__ for part in PARTS.values()})


@functools.cache
def plain_result(training: str) -> str:
    return TRAININGS[training]()


# Also what is on request only.
_ASKED_FOR = "+images,+embeddings,+pr_curve"
_FASTEST_FIRST = ("regression", "by_hand", "classification", "several_losses")
_FASTEST_FIRST += ("whole_batch", "many_batches")


def reaching(name: str) -> str | None:
    """The first training that calls a part, None where none does."""
    code = PARTS[name].function.__code__
    return next((training for training in _FASTEST_FIRST if code in calls_of(training)), None)


def break_part(name: str, undo: pytest.MonkeyPatch) -> None:
    """Make one part raise, wherever it is held: its code is exchanged."""
    _, function, owner, attribute = PARTS[name]
    if function.__code__.co_freevars:
        undo.setattr(owner, attribute, _raise)
    else:
        undo.setattr(function, "__defaults__", None)
        undo.setattr(function, "__code__", _raise.__code__)


def numbers(directory: Path) -> dict[tuple[str, int], float]:
    """Every recorded number but the timings, by tag and place."""
    try:
        history = autotrack.read(directory)
    except FileNotFoundError:
        return {}
    return {
        (tag, int(x)): float(value)
        for tag, series in history.items()
        if not tag.startswith("Throughput/")
        for x, value in zip(series.x, series.value, strict=True)
    }


@functools.cache
def whole_record(training: str) -> dict[tuple[str, int], float]:
    with autotrack.tracking(logdir=f"whole-{training}", metrics=_ASKED_FOR) as run:
        TRAININGS[training]()
    return numbers(run.directory)


def complaints(part: str, training: str, caplog) -> Iterator[str]:
    """What is wrong when a part is broken: not strict, and then strict."""
    caplog.clear()
    directory = Path(f"broken-{part}")
    with pytest.MonkeyPatch.context() as undo:
        break_part(part, undo)
        try:
            with autotrack.tracking(logdir=directory, metrics=_ASKED_FOR, strict=False):
                result = TRAININGS[training]()
        except Broken:
            yield f"{part} reached the training: {traceback.format_exc(limit=-4)}"
            return
    if result != plain_result(training):
        yield f"{part} changed the training"
    failed = warned(caplog)
    if len(failed) != len(set(failed)):
        yield f"{part} was reported more than once: {failed}"
    whole = whole_record(training)
    wrong = {
        (tag, x): value
        for (tag, x), value in numbers(directory).items()
        if not same(whole.get((tag, x)), value)
        # a loop whose source cannot be read has no epochs: its passes stand at steps
        and not (part.startswith("loopscope.") and tag in PASSES)
    }
    if wrong:
        yield f"{part} made the record wrong: {dict(list(wrong.items())[:3])} (failed: {failed})"
    if failed and not raises_when_strict(part, training):
        yield f"{part} does not raise with strict"


PASSES = frozenset({"Accuracy/train", "Loss/train_epoch", "MAE/train", "R2/train"})


def same(one: float | None, other: float) -> bool:
    return one is not None and (one == other or (math.isnan(one) and math.isnan(other)))


def raises_when_strict(part: str, training: str) -> bool:
    with pytest.MonkeyPatch.context() as undo:
        break_part(part, undo)
        try:
            with autotrack.tracking(logdir=f"strict-{part}", metrics=_ASKED_FOR, strict=True):
                TRAININGS[training]()
        except Broken:
            return True
    return False


def warned(caplog) -> list[str]:
    """The parts that were reported as switched off, in order."""
    return [str(r.args[0]) for r in caplog.records if "switched off" in r.getMessage()]


@pytest.fixture
def pytest_set_aside() -> Iterator[None]:
    """Autotrack looks for models among all living objects; pytest's own are many."""
    gc.freeze()
    yield
    gc.unfreeze()


@pytest.mark.usefixtures("pytest_set_aside", "nothing_compiled")
@pytest.mark.parametrize("room", ROOMS)
def test_a_part_that_raises_never_reaches_the_training(room, caplog):
    wrong = []
    for name in (n for n, part in PARTS.items() if part.room == room):
        training = reaching(name)
        if training is None:
            continue
        plain_result(training), whole_record(training)
        before = surfaces()
        wrong += complaints(name, training, caplog)
        wrong += [f"{name} left behind {left}" for left in differences(before, surfaces())]
    assert not wrong, "\n" + "\n".join(wrong)


def test_nearly_every_part_is_reached():
    here = {name for name, part in PARTS.items() if part.room not in _ELSEWHERE}
    reached = {name for name in here if reaching(name)}
    assert len(reached) > 0.65 * len(here), sorted(here - reached)


def test_a_hook_that_cannot_be_installed_leaves_nothing(monkeypatch, caplog):
    """The install fails half way: what was in place is undone, and later runs are whole."""
    before = surfaces()
    module = importlib.import_module("autotrack.observers.optimizer")
    with monkeypatch.context() as undo:
        undo.setattr(module, "install", _raise)
        with autotrack.tracking(logdir="first", strict=False):
            assert differences(before, surfaces()) == []
            result = TRAININGS["classification"]()
        assert warned(caplog) == ["hooks"]
        with pytest.raises(Broken):
            autotrack.tracking(logdir="strict", strict=True).__enter__()
        assert differences(before, surfaces()) == []
    assert result == plain_result("classification")
    with autotrack.tracking(logdir="second") as run:
        assert differences(before, surfaces()) != []
        TRAININGS["classification"]()
    assert len(run.history["Loss/train"].x) == 4
    assert differences(before, surfaces()) == []


def test_an_undo_that_fails_does_not_pass_for_hooks_in_place(monkeypatch):
    with monkeypatch.context() as undo:
        undo.setattr(importlib.import_module("autotrack.observers.model"), "install", _break_undo)
        with pytest.raises(Broken), autotrack.tracking(logdir="first", strict=True):
            one_step()
    with autotrack.tracking(logdir="second") as run:
        TRAININGS["classification"]()
    assert len(run.history["Loss/train"].x) == 4


def _break_undo(patch):
    patch.undo.callback(_raise)


def test_who_wrapped_on_top_stays_and_counts_nothing_twice():
    def on_top(*args, **kwargs):
        return below(*args, **kwargs)

    def next_on_top(self):
        return next_below(self)

    iterator = torch.utils.data.dataloader._BaseDataLoaderIter
    below, next_below = torch._C._nn.cross_entropy_loss, iterator.__next__
    with pytest.MonkeyPatch.context() as undo:
        with autotrack.tracking(logdir="first") as first:
            below, next_below = torch._C._nn.cross_entropy_loss, iterator.__next__
            undo.setattr(torch._C._nn, "cross_entropy_loss", on_top)
            undo.setattr(iterator, "__next__", next_on_top)
            TRAININGS["classification"]()
        assert torch._C._nn.cross_entropy_loss is on_top
        assert iterator.__next__ is next_on_top
        with autotrack.tracking(logdir="second") as second:
            TRAININGS["classification"]()
        assert numbers(first.directory) == numbers(second.directory)
        tags = [sorted(run.history.histograms) for run in (first, second)]
        assert tags[0] == tags[1]
        steps = [
            run.history.histograms["Weights/0.weight"].step.tolist() for run in (first, second)
        ]
        assert steps[0] == steps[1]
    # taking what was on top away puts our own back, which pass through; the originals lie below
    torch._C._nn.cross_entropy_loss = unwrapped(below)
    iterator.__next__ = unwrapped(next_below)


def unwrapped(function):
    cells = [cell.cell_contents for cell in function.__closure__ or ()]
    return next(c for c in cells if callable(c) and c.__name__ == function.__name__)


# -- the loop's own failures -----------------------------------------------------------------------


def failing_training(at_step: int = 5) -> None:
    model = nn.Linear(2, 1)
    optimizer = torch.optim.SGD(model.parameters(), lr=0.1)
    loader = DataLoader(TensorDataset(torch.randn(6, 2), torch.randn(6, 1)), batch_size=2)
    step = 0
    for _epoch in range(4):
        for x, y in loader:
            if step == at_step:
                raise KeyError("the person's own")
            F.mse_loss(model(x), y).backward()
            optimizer.step()
            optimizer.zero_grad()
            step += 1


def failing_inside_a_block() -> None:
    with autotrack.tracking(logdir="run"):
        failing_training()


@pytest.mark.parametrize("way", ["tracking", "track"])
def test_an_exception_passes_through_and_the_record_is_readable(way):
    tracked = autotrack.track(logdir="run")(failing_training)
    with pytest.raises(KeyError, match="the person's own") as caught:
        tracked() if way == "track" else failing_inside_a_block()
    assert caught.traceback[-1].name == "failing_training"
    assert caught.value.__cause__ is None
    assert caught.value.__context__ is None
    history = autotrack.read("run")
    assert history["Loss/train"].x.tolist() == [0, 1, 2, 3, 4]
    # epoch 0 is whole, epoch 1 was cut: it has no point
    assert history["Loss/train_epoch"].x.tolist() == [0]
    assert "cut short" in str(history.coverage) or "ended" in str(history.coverage)


def test_an_error_inside_pytorch_keeps_the_lines_of_the_person():
    model = nn.Linear(2, 3)
    with pytest.raises(ValueError, match="batch_size") as caught, autotrack.tracking(logdir="run"):
        F.cross_entropy(model(torch.randn(4, 2)), torch.zeros(5, dtype=torch.long)).backward()
    assert str(caught.traceback[0].path) == __file__


@pytest.mark.parametrize("error", [KeyboardInterrupt, SystemExit, GeneratorExit])
def test_what_is_no_exception_passes_through_too(error):
    before = surfaces()
    with pytest.raises(error), autotrack.tracking(logdir="run"):
        raise error
    assert differences(before, surfaces()) == []
    assert active() is None


# -- other processes and threads -------------------------------------------------------------------


def one_step(value: float = 1.0) -> None:
    model = nn.Linear(1, 1, bias=False)
    optimizer = torch.optim.SGD(model.parameters(), lr=0.0)
    nn.init.constant_(model.weight, value)
    F.mse_loss(model(torch.ones(1, 1)), torch.zeros(1, 1)).backward()
    optimizer.step()


def test_other_threads_are_not_observed():
    with autotrack.tracking(logdir="run") as run:
        one_step(2.0)
        thread = threading.Thread(target=one_step, args=(3.0,))
        thread.start()
        thread.join()
        one_step(4.0)
    assert run.history["Loss/train"].value.tolist() == [4.0, 16.0]


def test_threads_train_side_by_side_each_in_its_own_run():
    before, meet, runs = surfaces(), threading.Barrier(2, timeout=30), {}

    def train(name: str, value: float) -> None:
        with autotrack.tracking(logdir=name) as run:
            runs[name] = run
            for step in range(5):
                meet.wait()
                one_step(value + step)
            if name == "long":
                meet.wait()
                one_step(0.0)
        if name == "short":
            # the hooks of the other one must outlive this run
            meet.wait()

    threads = [threading.Thread(target=train, args=a) for a in (("short", 1.0), ("long", 10.0))]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()

    def losses(name):
        history = runs[name].history
        found = [s for tag, s in history.items() if (tag + "/").startswith("Loss/train/")]
        points = [p for s in found for p in s.value.tolist()]
        return sorted(p for p in set(points))

    assert losses("short") == [1.0, 4.0, 9.0, 16.0, 25.0]
    assert losses("long") == [0.0, 100.0, 121.0, 144.0, 169.0, 196.0]
    assert differences(before, surfaces()) == []


@pytest.mark.skipif(not hasattr(os, "fork"), reason="there is no fork here")
@pytest.mark.filterwarnings("ignore:.*fork.*:DeprecationWarning")
def test_a_forked_child_writes_nothing_and_the_parent_goes_on():
    with autotrack.tracking(logdir="run") as run:
        one_step(2.0)
        size = run.history and sum(f.stat().st_size for f in run.directory.iterdir())
        child = os.fork()
        if child == 0:
            # the child leaves through the block as the parent does, then ends at once
            code = 1
            try:
                one_step(5.0)
                run.log("Own/number", 1.0)
                run.flush()
                run.__exit__()
                run.finish()
                code = 0 if active() is None else 2
            finally:
                os._exit(code)
        assert os.waitstatus_to_exitcode(os.waitpid(child, 0)[1]) == 0
        assert sum(f.stat().st_size for f in run.directory.iterdir()) == size
        one_step(3.0)
    assert run.history["Loss/train"].value.tolist() == [4.0, 9.0]
    assert "Own/number" not in run.history
    assert len(list(run.directory.iterdir())) == 1


def python(script: str, *arguments: str, **environment: str) -> subprocess.CompletedProcess[str]:
    path = Path("script.py")
    path.write_text(textwrap.dedent(script), "utf-8")
    root = str(Path(__file__).resolve().parent.parent)
    return subprocess.run(
        [sys.executable, *arguments, str(path)],
        env={**os.environ, "PYTHONPATH": root, **environment},
        capture_output=True,
        text=True,
        check=False,
        timeout=120,
    )


TRAIN_ON = """
    import os, signal, sys, time
    import torch
    from torch import nn
    from torch.nn import functional as F
    import autotrack

    model = nn.Linear(2, 1)
    optimizer = torch.optim.SGD(model.parameters(), lr=0.01)
    x, y = torch.ones(4, 2), torch.ones(4, 1)
    losses = []
    def step():
        loss = F.mse_loss(model(x), y)
        optimizer.zero_grad()
        loss.backward()
        optimizer.step()
        losses.append(loss.item())
"""


def test_a_killed_process_leaves_all_but_the_last_second():
    done = python(
        TRAIN_ON
        + """
    from autotrack import run as module
    now = [0.0]
    module.time.perf_counter = lambda: now[0]
    with autotrack.tracking(model, optimizer, logdir="run"):
        for number in range(50):
            # a clock of our own: a tenth of a second a step
            now[0] += 0.1
            step()
        print(losses, flush=True)
        os.kill(os.getpid(), signal.SIGKILL)
    """
    )
    assert done.returncode == -signal.SIGKILL, done.stderr
    losses = [float(v) for v in done.stdout.strip(" []\n").split(",")]
    history = autotrack.read("run")
    values = history["Loss/train"].value.tolist()
    assert len(losses) - 11 <= len(values) <= len(losses)
    assert values == pytest.approx(losses[: len(values)], rel=1e-6)


def test_warnings_as_errors_break_nothing():
    done = python(
        TRAIN_ON
        + """
    os.mkdir("taken")
    open("taken/events.out.tfevents.1", "w").close()
    open("file", "w").close()
    for directory in ("run", "taken", "file/below"):
        with autotrack.tracking(logdir=directory, strict=False):
            step()
    print(len(losses))
    """,
        "-W",
        "error::UserWarning:autotrack",
        "-W",
        "error::RuntimeWarning",
        "-W",
        "error::DeprecationWarning:autotrack",
    )
    assert done.stdout == "3\n", done.stderr
    assert "taken-2" in done.stderr
    assert autotrack.read("taken-2")["Loss/train"].x.tolist() == [0]


# -- what a person saves, copies and compiles during a run -----------------------------------------


def test_a_model_saved_whole_loads_where_there_is_no_autotrack():
    done = python(
        TRAIN_ON
        + """
    import copy
    with autotrack.tracking(model, optimizer, logdir="run"):
        step()
        twin = copy.deepcopy(model)
        torch.save(model, "model.pt")
        torch.save(twin, "twin.pt")
        torch.save((model, optimizer), "both.pt")
        assert torch.equal(twin(x), model(x))
        torch.save(model(x).detach(), "answer.pt")
    """
    )
    assert done.returncode == 0, done.stderr
    done = python(
        """
    import importlib.abc, sys
    class Refuse(importlib.abc.MetaPathFinder):
        def find_spec(self, name, path, target=None):
            if name.partition(".")[0] == "autotrack":
                raise ImportError("there is no autotrack here")
    sys.meta_path.insert(0, Refuse())
    import torch
    x, answer = torch.ones(4, 2), torch.load("answer.pt")
    for file in ("model.pt", "twin.pt"):
        model = torch.load(file, weights_only=False)
        assert torch.equal(model(x), answer), file
    model, optimizer = torch.load("both.pt", weights_only=False)
    model(x).sum().backward()
    optimizer.step()
    print("loaded", "autotrack" in sys.modules)
    """
    )
    assert done.stdout == "loaded False\n", done.stderr


class WithLoss(nn.Module):
    """A model that computes its own loss."""

    def __init__(self) -> None:
        super().__init__()
        self.linear = nn.Linear(2, 3)
        self.criterion = nn.CrossEntropyLoss()

    def forward(self, x: torch.Tensor, y: torch.Tensor) -> torch.Tensor:
        with torch.no_grad():
            constant = F.mse_loss(x, x) + F.l1_loss(x, 2 * x)
        return self.criterion(self.linear(x), y) + constant


@pytest.mark.filterwarnings("ignore::DeprecationWarning", "ignore:.*deprecated:FutureWarning")
# PyTorch says it of its own lines; said of a line of ours it is an error here
@pytest.mark.filterwarnings("ignore::torch.jit.TracerWarning:torch")
@pytest.mark.parametrize("compile_", ["script", "trace"])
def test_modules_with_losses_are_scripted_and_traced_during_a_run(compile_):
    x, y = torch.randn(4, 2), torch.tensor([0, 1, 2, 0])
    model = WithLoss()
    expected = model(x, y)
    optimizer = torch.optim.SGD(model.parameters(), lr=0.1)
    with autotrack.tracking(model, optimizer, logdir="run"):
        model(x, y).backward()
        optimizer.step()
        optimizer.zero_grad()
        with torch.no_grad():
            model.linear.weight.add_(0)
        expected = model(x, y)
        compiled = (
            torch.jit.script(model) if compile_ == "script" else torch.jit.trace(model, (x, y))
        )
        assert torch.equal(compiled(x, y), expected)
        compiled(x, y).backward()
        optimizer.step()
    file = io.BytesIO()
    torch.jit.save(compiled, file)
    file.seek(0)
    assert torch.equal(torch.jit.load(file)(x, y), model(x, y))


def test_no_grad_is_entered_where_no_frame_of_python_is_outside(monkeypatch):
    failed, over, entered = [], threading.Event(), torch.no_grad()
    monkeypatch.setattr(sys, "unraisablehook", lambda what: failed.append(repr(what.exc_value)))
    weakref.finalize(entered, over.set)
    with autotrack.tracking(logdir="run"):
        # C calls it as the outermost of a thread, as a program written in C may.
        _thread.start_new_thread(entered.__enter__, ())
        del entered
        assert over.wait(60)
    assert not failed


def test_losses_are_pickled_during_and_after_a_run():
    functions = [F.cross_entropy, F.mse_loss, nn.CrossEntropyLoss.forward]
    with autotrack.tracking(logdir="run"):
        one_step()
        during = pickle.dumps(functions)
        criterion = pickle.dumps(nn.CrossEntropyLoss())
        copied = copy.deepcopy(functions)
    assert b"autotrack" not in during + criterion
    assert pickle.loads(during) == copied == functions  # noqa: S301 - our own bytes
    assert pickle.dumps(functions) == during


# -- memory ----------------------------------------------------------------------------------------


def held_by_autotrack() -> dict[str, int]:
    """Bytes that autotrack's own lines have allocated and not given back, by line."""
    gc.collect()
    ours = tracemalloc.Filter(inclusive=True, filename_pattern="*/autotrack/*")
    snapshot = tracemalloc.take_snapshot().filter_traces([ours])
    return {str(line.traceback): line.size for line in snapshot.statistics("lineno")}


def test_memory_does_not_grow_with_the_number_of_steps():
    model = nn.Linear(4, 2)
    optimizer = torch.optim.SGD(model.parameters(), lr=0.01)
    x, y = torch.randn(8, 4), torch.randint(0, 2, (8,))
    loader = DataLoader(TensorDataset(x, y), batch_size=2)

    def train(epochs: int) -> None:
        for _ in range(epochs):
            for inputs, labels in loader:
                optimizer.zero_grad()
                F.cross_entropy(model(inputs), labels).backward()
                optimizer.step()
            with torch.no_grad():
                F.cross_entropy(model(x), y)

    held = []
    with autotrack.tracking(model, optimizer, logdir="run", histograms=0) as run:
        tracemalloc.start()
        try:
            # what is learned once, of a place in the code or a tag, is learned in the first round
            for _ in range(3):
                train(100)
                run.flush()
                held.append(held_by_autotrack())
        finally:
            tracemalloc.stop()
    more = {line: size - held[1].get(line, 0) for line, size in held[2].items()}
    dearest = sorted(more.items(), key=lambda pair: -pair[1])[:5]
    # 400 steps; one float kept a step would be 12 kB
    growth = sum(held[2].values()) - sum(held[1].values())
    assert growth < 4_000, f"{growth} bytes more after 400 further steps: {dearest}"
    assert len(autotrack.read("run")["Loss/train"].x) == 4 * 300


def test_rows_do_not_pile_up_when_nothing_can_be_written(monkeypatch):
    monkeypatch.setattr("autotrack.recorder.Recorder.write", _raise)
    with autotrack.tracking(logdir="run", strict=False) as run:
        one_step()
        run.flush()
        for _ in range(5):
            one_step()
        assert len(run._recorder.buffer.rows) <= 1


def test_a_run_keeps_nothing_of_the_training_alive():
    def train():
        model = nn.Linear(2, 2)
        optimizer = torch.optim.SGD(model.parameters(), lr=0.1)
        loader = DataLoader(TensorDataset(torch.randn(4, 2), torch.tensor([0, 1, 0, 1])))
        scaler = torch.amp.GradScaler("cpu")
        for x, y in loader:
            loss = F.cross_entropy(model(x), y)
            scaler.scale(loss).backward()
            scaler.step(optimizer)
            scaler.update()
        with torch.no_grad():
            out = model(x)
            F.cross_entropy(out, y)
        held = (model, model.weight, optimizer, loader, loss, out, x)
        return [weakref.ref(thing) for thing in held]

    with autotrack.tracking(logdir="run") as run:
        references = train()
        gc.collect()
        alive = [type(thing()).__name__ for thing in references if thing() is not None]
        assert alive in ([], ["Tensor"])  # at most the batch in hand, until the next one
    gc.collect()
    assert [thing() for thing in references] == [None] * len(references)
    assert run.history["Loss/train"].x.tolist() == [0, 1, 2, 3]


# -- nesting ---------------------------------------------------------------------------------------


def test_a_nested_run_on_the_same_model_is_refused_and_the_outer_lives_on():
    model = nn.Linear(1, 1)
    with autotrack.tracking(model, logdir="outer") as run:
        one_step(2.0)
        with (
            pytest.raises(NestedRunError, match="model"),
            autotrack.tracking(model, logdir="inner"),
        ):
            pytest.fail("the block must not run")
        one_step(3.0)
        # another model may be tracked meanwhile
        with autotrack.tracking(nn.Linear(1, 1), logdir="other"):
            one_step(4.0)
        assert active() is run
    assert run.history["Loss/train"].value.tolist() == [4.0, 9.0]
    assert not Path("inner").exists()
    with autotrack.tracking(model, logdir="later"):
        one_step()
