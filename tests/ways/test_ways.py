"""Ways to run a loop: exec-ed source, module level, threads, processes; and thin wrappers."""

from __future__ import annotations

import os
import subprocess
import sys
import textwrap
import threading
import traceback
from collections import OrderedDict
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest
import torch
from torch import nn
from torch.autograd.graph import get_gradient_edge
from torch.utils.data import DataLoader, TensorDataset
from training_state import gradient_norm, state_of

import autotrack
from autotrack.errors import RecordNotFoundError, UsageError


def floats(values: list[float]) -> list[float]:
    return [float(v) for v in torch.tensor(values)]


def loader_of(samples: int = 20, batch_size: int = 8) -> DataLoader[Any]:
    x, y = torch.randn(samples, 4), torch.randint(0, 3, (samples,))
    return DataLoader(TensorDataset(x, y), batch_size=batch_size)


# -- source without a file ----------------------------------------------------------------------

SOURCE = """
for epoch in range(5, 7):
    for x, y in loader:
        optimizer.zero_grad()
        loss = criterion(model(x), y)
        loss.backward()
        known.append(loss.item())
        sizes.append(len(x))
        optimizer.step()
"""
SLICES = """
for epoch in range(5, 7):
    for start in range(0, 20, 8):
        x, y = data.tensors[0][start:start + 8], data.tensors[1][start:start + 8]
        optimizer.zero_grad()
        loss = criterion(model(x), y)
        loss.backward()
        known.append(loss.item())
        sizes.append(len(x))
        optimizer.step()
"""


def executed(source: str, filename: str, logdir: Path | None) -> tuple[dict[str, Any], Any]:
    torch.manual_seed(1)
    loader = loader_of()
    model = nn.Linear(4, 3)
    names: dict[str, Any] = {
        "loader": loader,
        "data": loader.dataset,
        "model": model,
        "optimizer": torch.optim.SGD(model.parameters(), lr=0.1),
        "criterion": nn.CrossEntropyLoss(),
        "known": [],
        "sizes": [],
    }
    history = None
    code = compile(source, filename, "exec")
    if logdir is None:
        exec(code, names)  # noqa: S102 - the way under test
    else:
        with autotrack.tracking(logdir=str(logdir)) as run:
            exec(code, names)  # noqa: S102 - the way under test
        history = run.history
    names["state"] = state_of(model, names["optimizer"])
    return names, history


@pytest.mark.parametrize("filename", ["<string>", "/nowhere/there.py"])
def test_executed_source_takes_epochs_from_the_loader(filename: str, tmp_path: Path) -> None:
    plain, _ = executed(SOURCE, filename, None)
    tracked, history = executed(SOURCE, filename, tmp_path / "run")
    assert tracked["state"] == plain["state"]
    assert history["Loss/train"].value.tolist() == floats(plain["known"])
    # Nothing shows that epochs start at 5: passes over the loader are counted.
    assert history["Loss/train_epoch"].x.tolist() == [0, 1]
    weighted = [v * n for v, n in zip(plain["known"], plain["sizes"], strict=True)]
    means = [sum(weighted[:3]) / 20, sum(weighted[3:]) / 20]
    assert history["Loss/train_epoch"].value.tolist() == pytest.approx(means, rel=1e-6)


def test_executed_source_without_a_loader_has_no_epochs(tmp_path: Path) -> None:
    plain, _ = executed(SLICES, "<string>", None)
    tracked, history = executed(SLICES, "<string>", tmp_path / "run")
    assert tracked["state"] == plain["state"]
    assert history["Loss/train"].value.tolist() == floats(plain["known"])
    assert not history.has_epochs
    assert history["Loss/train"].epoch.tolist() == [-1] * 6


# -- module level -------------------------------------------------------------------------------

MODULE = """
import sys
import torch
import autotrack

torch.manual_seed(0)
x, y = torch.randn(12, 4), torch.randint(0, 3, (12,))
model = torch.nn.Linear(4, 3)
optimizer = torch.optim.SGD(model.parameters(), lr=0.1)
losses = []
with autotrack.tracking(logdir=sys.argv[1]):
    for epoch in range(3, 5):
        for start in range(0, 12, 6):
            optimizer.zero_grad()
            loss = torch.nn.functional.cross_entropy(model(x[start:start + 6]), y[start:start + 6])
            loss.backward()
            losses.append(loss.item())
            optimizer.step()
print(*losses)
print(repr([p.tolist() for p in model.parameters()]))
"""


def run_script(tmp_path: Path, source: str, *, disabled: bool = False) -> list[str]:
    script = tmp_path / "script.py"
    script.write_text(textwrap.dedent(source))
    # OpenMP's threads do not survive a fork; PyTorch alone would wait for them as well.
    env = {**os.environ, "OMP_NUM_THREADS": "1", "AUTOTRACK_DISABLED": str(int(disabled))}
    command = [sys.executable, str(script), str(tmp_path / "run")]
    done = subprocess.run(
        command, capture_output=True, text=True, check=False, env=env, timeout=100
    )
    assert done.returncode == 0, done.stderr
    return done.stdout.splitlines()


def test_module_level_code_in_a_block(tmp_path: Path) -> None:
    plain = run_script(tmp_path, MODULE, disabled=True)
    tracked = run_script(tmp_path, MODULE)
    assert tracked == plain
    history = autotrack.read(tmp_path / "run")
    losses = [float(number) for number in plain[0].split()]
    assert history["Loss/train"].value.tolist() == floats(losses)
    assert history["Loss/train"].epoch.tolist() == [3, 3, 4, 4]
    means = [sum(losses[:2]) / 2, sum(losses[2:]) / 2]
    assert history["Loss/train_epoch"].x.tolist() == [3, 4]
    assert history["Loss/train_epoch"].value.tolist() == pytest.approx(means, rel=1e-6)


# -- threads ------------------------------------------------------------------------------------


@dataclass
class Worker:
    """One training in a thread; it waits for the others at every step."""

    seed: int
    together: threading.Barrier
    logdir: Path | None
    losses: list[float]
    history: Any = None
    state: Any = None
    failure: str = ""

    def run(self) -> None:
        try:
            self.train()
        except BaseException:  # noqa: BLE001 - told by the main thread
            self.failure = traceback.format_exc()
            self.together.abort()

    def train(self) -> None:
        generator = torch.Generator().manual_seed(self.seed)
        x = torch.randn(4, 6, 4, generator=generator)
        y = torch.randint(0, 3, (4, 6), generator=generator)
        model = nn.Linear(4, 3)
        with torch.no_grad():
            for parameter in model.parameters():
                parameter.copy_(torch.randn(parameter.shape, generator=generator))
        optimizer = torch.optim.SGD(model.parameters(), lr=0.1)
        self.together.wait(30)
        if self.logdir is None:
            self.loop(model, optimizer, x, y)
        else:
            with autotrack.tracking(logdir=str(self.logdir)) as run:
                self.loop(model, optimizer, x, y)
            self.history = run.history
        self.state = [p.tolist() for p in model.parameters()]

    def loop(self, model: nn.Module, optimizer: Any, x: torch.Tensor, y: torch.Tensor) -> None:
        for epoch in range(self.seed, self.seed + 2):  # noqa: B007 - a loop as people write it
            for index in range(4):
                self.together.wait(30)
                optimizer.zero_grad()
                loss = nn.functional.cross_entropy(model(x[index]), y[index])
                loss.backward()
                self.losses.append(loss.item())
                optimizer.step()
        assert epoch == self.seed + 1


def side_by_side(logdirs: list[Path | None]) -> list[Worker]:
    together = threading.Barrier(len(logdirs))
    workers = [Worker(seed, together, logdir, []) for seed, logdir in enumerate(logdirs)]
    threads = [threading.Thread(target=worker.run) for worker in workers]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert not [worker.failure for worker in workers if worker.failure]
    return workers


def test_threads_that_train_side_by_side_have_a_run_each(tmp_path: Path) -> None:
    plain = side_by_side([None, None, None])
    # The third one is not tracked: what it does is in nobody's record.
    tracked = side_by_side([tmp_path / "a", tmp_path / "b", None])
    assert [w.state for w in tracked] == [w.state for w in plain]
    for worker, expected in zip(tracked[:2], plain, strict=False):
        loss = worker.history["Loss/train"]
        assert loss.value.tolist() == floats(expected.losses)
        assert loss.epoch.tolist() == [worker.seed] * 4 + [worker.seed + 1] * 4
    assert sorted(p.name for p in tmp_path.iterdir()) == ["a", "b"]


def test_a_thread_inside_a_run_is_not_part_of_it(tmp_path: Path) -> None:
    losses: list[float] = []

    def train(keep: list[float]) -> None:
        model = nn.Linear(2, 1)
        optimizer = torch.optim.SGD(model.parameters(), lr=0.1)
        for _ in range(3):
            loss = nn.functional.mse_loss(model(torch.ones(1, 2)), torch.zeros(1, 1))
            loss.backward()
            keep.append(loss.item())
            optimizer.step()

    with autotrack.tracking(logdir=str(tmp_path / "run")) as run:
        other = threading.Thread(target=train, args=([],))
        other.start()
        other.join()
        train(losses)
    assert run.history["Loss/train"].value.tolist() == floats(losses)


# -- processes ----------------------------------------------------------------------------------

CHILDREN = """
import os
import subprocess
import sys
import torch
import autotrack

torch.manual_seed(0)
model = torch.nn.Linear(4, 3)
optimizer = torch.optim.SGD(model.parameters(), lr=0.1)
x, y = torch.randn(6, 4), torch.randint(0, 3, (6,))

def step():
    optimizer.zero_grad()
    loss = torch.nn.functional.cross_entropy(model(x), y)
    loss.backward()
    optimizer.step()
    return loss.item()

losses = []
with autotrack.tracking(logdir=sys.argv[1]) as run:
    losses.append(step())
    child = os.fork()
    if child == 0:
        for _ in range(5):
            step()
        os._exit(0)
    assert os.waitpid(child, 0)[1] == 0
    losses.append(step())
    child = os.fork()
    if child == 0:
        # A child that leaves through the block must not write its parent's end.
        step()
    else:
        assert os.waitpid(child, 0)[1] == 0
        train = "import torch; p = torch.ones(1, requires_grad=True); (p * 2).backward()"
        subprocess.run([sys.executable, "-c", train], check=True)
        losses.append(step())
if child == 0:
    os._exit(0)
print(*losses)
print(repr([p.tolist() for p in model.parameters()]))
"""


@pytest.mark.skipif(not hasattr(os, "fork"), reason="this system has no fork")
def test_children_are_not_part_of_the_parents_run(tmp_path: Path) -> None:
    plain = run_script(tmp_path, CHILDREN, disabled=True)
    assert run_script(tmp_path, CHILDREN) == plain
    history = autotrack.read(tmp_path / "run")
    assert history["Loss/train"].value.tolist() == floats([float(v) for v in plain[0].split()])
    assert history.coverage["lines"][0]["seen"] == 3
    assert history.truncated == 0
    assert len(list((tmp_path / "run").iterdir())) == 1


# -- wrappers -----------------------------------------------------------------------------------


@dataclass
class Output:
    """What models of a well-known library return: the loss is there when labels are given."""

    logits: torch.Tensor
    loss: torch.Tensor | None = None


class Scored(nn.Module):
    def __init__(self, kind: str) -> None:
        super().__init__()
        self.kind = kind
        self.body = nn.Linear(4, 3)

    def forward(self, inputs: torch.Tensor, labels: torch.Tensor | None = None) -> Any:
        logits = self.body(inputs)
        loss = None if labels is None else nn.functional.cross_entropy(logits, labels)
        if self.kind == "dict":
            return OrderedDict(loss=loss, logits=logits)
        return Output(logits, loss)


def loss_and_logits(output: Any) -> tuple[torch.Tensor, torch.Tensor]:
    if isinstance(output, dict):
        return output["loss"], output["logits"]
    return output.loss, output.logits


@dataclass
class Known:
    losses: list[float]
    norms: list[float]
    right: list[float]
    evaluation: list[float]
    state: Any = None


def train_scored(model: nn.Module, logdir: Path | None) -> tuple[Known, Any]:
    """Train and evaluate a model that computes its loss itself."""
    known = Known([], [], [], [])
    loader, val_loader = loader_of(), loader_of(10, 4)
    optimizer = torch.optim.AdamW(model.parameters(), lr=0.01)

    def loop() -> None:
        for _epoch in range(2):
            model.train()
            correct = 0
            for x, y in loader:
                loss, logits = loss_and_logits(model(inputs=x, labels=y))
                loss.backward()
                known.losses.append(loss.item())
                known.norms.append(gradient_norm(model.parameters()))
                correct += int((logits.argmax(1) == y).sum())
                optimizer.step()
                optimizer.zero_grad()
            known.right.append(100 * correct / 20)
            model.eval()
            total = 0.0
            with torch.no_grad():
                for x, y in val_loader:
                    loss, _ = loss_and_logits(model(inputs=x, labels=y))
                    total += loss.item() * len(x)
            known.evaluation.append(total / 10)

    history = None
    if logdir is None:
        loop()
    else:
        with autotrack.tracking(logdir=str(logdir)) as run:
            loop()
        history = run.history
    known.state = state_of(model, optimizer)
    return known, history


@pytest.mark.parametrize("wrapped", [False, True], ids=["bare", "DataParallel"])
@pytest.mark.parametrize("kind", ["dict", "object"])
def test_a_model_that_returns_its_loss(kind: str, wrapped: bool, tmp_path: Path) -> None:
    outcomes = []
    for logdir in (None, tmp_path / "run"):
        torch.manual_seed(4)
        model: nn.Module = Scored(kind)
        outcomes.append(train_scored(nn.DataParallel(model) if wrapped else model, logdir))
    (plain, _), (tracked, history) = outcomes
    assert tracked == plain
    assert history["Loss/train"].value.tolist() == floats(plain.losses)
    assert history["GradNorm/total"].value.tolist() == pytest.approx(plain.norms, rel=1e-4)
    assert history["Accuracy/train"].value.tolist() == pytest.approx(plain.right)
    assert history["Loss/val"].value.tolist() == pytest.approx(plain.evaluation, rel=1e-6)
    assert history["Loss/val"].x.tolist() == [0, 1]
    # Names are the person's own, without what a wrapper puts in front.
    assert set(history.histograms) == {
        f"{what}/body.{name}" for what in ("Weights", "Gradients") for name in ("weight", "bias")
    }


class Delegating(torch.optim.Optimizer):
    """What libraries put around an optimizer: it looks like one and hands everything on."""

    def __init__(self, optimizer: torch.optim.Optimizer) -> None:
        self.optimizer = optimizer

    @property
    def param_groups(self) -> Any:
        return self.optimizer.param_groups

    def step(self, closure: Any = None) -> Any:
        return self.optimizer.step(closure)

    def zero_grad(self, set_to_none: bool = True) -> None:
        self.optimizer.zero_grad(set_to_none)


@pytest.mark.parametrize("given", [False, True], ids=["found", "given"])
def test_an_optimizer_around_another_is_one_stream(given: bool, tmp_path: Path) -> None:
    losses: list[float] = []
    model = nn.Linear(2, 1)
    opt = Delegating(torch.optim.SGD(model.parameters(), lr=0.1))
    things = (model, opt) if given else ()
    with autotrack.tracking(*things, logdir=str(tmp_path / "run")) as run:
        for _ in range(3):
            loss = nn.functional.mse_loss(model(torch.ones(1, 2)), torch.zeros(1, 1))
            loss.backward()
            losses.append(loss.item())
            opt.step()
            opt.zero_grad()
    assert run.history["Loss/train"].value.tolist() == floats(losses)
    assert "steps of opt" in str(run.coverage)


# -- ranks --------------------------------------------------------------------------------------


def as_rank(monkeypatch: pytest.MonkeyPatch, rank: int) -> None:
    for name, text in {"RANK": str(rank), "LOCAL_RANK": str(rank), "WORLD_SIZE": "2"}.items():
        monkeypatch.setenv(name, text)


def one_step() -> None:
    weight = torch.ones(1, requires_grad=True)
    optimizer = torch.optim.SGD([weight], lr=0.1)
    (weight * 2).sum().backward()
    optimizer.step()


@pytest.mark.parametrize(
    ("ranks", "rank", "folder"),
    [("0", 0, ""), ("0", 1, None), ("all", 0, "rank0"), ("all", 1, "rank1")],
)
def test_where_a_rank_records(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path, ranks: str, rank: int, folder: str | None
) -> None:
    as_rank(monkeypatch, rank)
    with autotrack.tracking(logdir=str(tmp_path / "run"), ranks=ranks) as run:
        one_step()
    if folder is None:
        assert not (tmp_path / "run").exists()
        return
    assert run.directory == tmp_path / "run" / folder
    assert autotrack.read(run.directory)["Loss/train"].value.tolist() == [2.0]
    assert autotrack.read(tmp_path / "run")["Loss/train"].value.tolist() == [2.0]


def test_a_second_start_of_all_ranks_goes_beside_the_first(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    for _ in range(2):
        for rank in (0, 1):
            as_rank(monkeypatch, rank)
            with autotrack.tracking(logdir=str(tmp_path / "run"), ranks="all"):
                one_step()
    folders = sorted(str(p.relative_to(tmp_path)) for p in tmp_path.glob("*/*"))
    assert folders == ["run-2/rank0", "run-2/rank1", "run/rank0", "run/rank1"]


def test_all_ranks_need_one_directory(monkeypatch: pytest.MonkeyPatch) -> None:
    as_rank(monkeypatch, 1)
    with pytest.raises(UsageError, match="needs logdir"), autotrack.tracking(ranks="all"):
        pass


def test_ranks_is_0_or_all() -> None:
    with pytest.raises(UsageError, match='"0" or "all"'):
        autotrack.tracking(ranks="1")


def test_folders_of_ranks_without_records_are_none(tmp_path: Path) -> None:
    (tmp_path / "rank0").mkdir()
    with pytest.raises(RecordNotFoundError):
        autotrack.read(tmp_path)


def test_a_backward_from_an_edge_of_the_graph_is_a_step_without_a_loss(tmp_path):
    """As pipelines call it: such an edge has no value."""
    model = nn.Linear(3, 1)
    optimizer = torch.optim.SGD(model.parameters(), lr=0.1)
    losses, norms = [], []
    with autotrack.tracking(logdir=tmp_path, strict=True) as run:
        for number in range(4):
            loss = model(torch.randn(5, 3)).square().mean()
            optimizer.zero_grad()
            if number == 1:
                torch.autograd.backward(get_gradient_edge(loss), torch.ones(()))
            else:
                loss.backward()
                losses.append(loss.item())
            norms.append(gradient_norm(model.parameters()))
            optimizer.step()
    history = run.history
    assert history["Loss/train"].value.tolist() == losses
    assert history["Loss/train"].step.tolist() == [0, 2, 3]
    assert history["GradNorm/total"].value.tolist() == pytest.approx(norms)
