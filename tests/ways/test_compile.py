"""torch.compile: tracking adds no graph, no graph break and no recompilation, and stays right.

Every scenario trains some steps plain, and once more with a few of them tracked. Dynamo counts what
it compiled after each step; the two lists of counts are compared, as are weights and losses.
"""

from __future__ import annotations

import copy
import functools
import shutil
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any, NamedTuple

import pytest
import torch
from torch import nn
from torch.utils.data import DataLoader, TensorDataset
from training_state import gradient_norm, state_of
from untouched import differences, surfaces

import autotrack
from autotrack.context import active

if TYPE_CHECKING:
    from pathlib import Path

dynamo = pytest.importorskip("torch._dynamo", reason="this PyTorch has no torch.compile")

# PyTorch's own: Dynamo and Inductor still use parts of PyTorch that it deprecates.
pytestmark = pytest.mark.filterwarnings("ignore::DeprecationWarning", "ignore::UserWarning:torch")

STEPS = 6
Step = Callable[[torch.Tensor, torch.Tensor], torch.Tensor]


class Net(nn.Module):
    def __init__(self) -> None:
        super().__init__()
        self.first = nn.Linear(4, 8)
        self.second = nn.Linear(8, 3)

    def forward(self, x: torch.Tensor) -> torch.Tensor:
        scores: torch.Tensor = self.second(torch.relu(self.first(x)))
        return scores


class Counts(NamedTuple):
    graphs: int
    breaks: int
    compilations: int
    recompilations: int


class Parts(NamedTuple):
    model: nn.Module
    optimizer: torch.optim.Optimizer
    criterion: nn.Module
    compiled: Callable[..., Any]


@dataclass
class Training:
    losses: list[float] = field(default_factory=list)
    norms: list[float] = field(default_factory=list)
    correct: list[int] = field(default_factory=list)
    counts: list[Counts] = field(default_factory=list)
    state: dict[str, Any] = field(default_factory=dict)
    history: Any = None
    coverage: str = ""


def compiled_model(parts: Parts) -> Step:
    model = parts.compiled(parts.model, fullgraph=True)

    def step(x: torch.Tensor, y: torch.Tensor) -> torch.Tensor:
        parts.optimizer.zero_grad()
        loss = parts.criterion(model(x), y)
        loss.backward()
        parts.optimizer.step()
        return loss

    return step


def compiled_in_place(parts: Parts) -> Step:
    parts.model.compile(backend=parts.compiled.backend, fullgraph=True)  # type: ignore[attr-defined]

    def step(x: torch.Tensor, y: torch.Tensor) -> torch.Tensor:
        parts.optimizer.zero_grad()
        loss = parts.criterion(parts.model(x), y)
        loss.backward()
        parts.optimizer.step()
        return loss

    return step


def compiled_loss(parts: Parts) -> Step:
    @parts.compiled(fullgraph=True)
    def forward(x: torch.Tensor, y: torch.Tensor) -> torch.Tensor:
        return parts.criterion(parts.model(x), y)

    def step(x: torch.Tensor, y: torch.Tensor) -> torch.Tensor:
        parts.optimizer.zero_grad()
        loss = forward(x, y)
        loss.backward()
        parts.optimizer.step()
        return loss

    return step


def compiled_whole_step(parts: Parts) -> Step:
    @parts.compiled
    def step(x: torch.Tensor, y: torch.Tensor) -> torch.Tensor:
        parts.optimizer.zero_grad()
        loss = parts.criterion(parts.model(x), y)
        loss.backward()
        parts.optimizer.step()
        return loss

    return step


def compiled_with_clipping(parts: Parts) -> Step:
    @parts.compiled
    def step(x: torch.Tensor, y: torch.Tensor) -> torch.Tensor:
        loss = parts.criterion(parts.model(x), y)
        loss.backward()
        nn.utils.clip_grad_norm_(parts.model.parameters(), 1e6)
        parts.optimizer.step()
        parts.optimizer.zero_grad(set_to_none=False)
        return loss

    return step


def compiled_optimizer(parts: Parts) -> Step:
    optimizer_step = parts.compiled(parts.optimizer.step)

    def step(x: torch.Tensor, y: torch.Tensor) -> torch.Tensor:
        parts.optimizer.zero_grad()
        loss = parts.criterion(parts.model(x), y)
        loss.backward()
        optimizer_step()
        return loss

    return step


def compiled_average(parts: Parts) -> Step:
    """The model's average, compiled like it, is given a loader's batches after each step."""
    average = copy.deepcopy(parts.model)
    for one in (parts.model, average):
        one.compile(backend=parts.compiled.backend, fullgraph=True)  # type: ignore[attr-defined]
    loader = DataLoader(TensorDataset(torch.randn(32, 4), torch.zeros(32).long()), batch_size=16)

    def step(x: torch.Tensor, y: torch.Tensor) -> torch.Tensor:
        parts.optimizer.zero_grad()
        loss = parts.criterion(parts.model(x), y)
        loss.backward()
        parts.optimizer.step()
        with torch.no_grad():
            for inputs, _ in loader:
                assert average(inputs).shape == (16, 3)
        return loss

    return step


def backward_inside(parts: Parts) -> Step:
    """The whole of forward and backward in one graph, which needs an option of Dynamo's."""

    @parts.compiled(fullgraph=True)
    def forward_and_backward(x: torch.Tensor, y: torch.Tensor) -> torch.Tensor:
        loss = parts.criterion(parts.model(x), y)
        loss.backward()
        return loss.detach()

    def step(x: torch.Tensor, y: torch.Tensor) -> torch.Tensor:
        parts.optimizer.zero_grad()
        loss: torch.Tensor = forward_and_backward(x, y)
        parts.optimizer.step()
        return loss

    return step


def counted() -> Counts:
    counters = dynamo.utils.counters
    metrics = dynamo.utils.get_compilation_metrics()
    return Counts(
        counters["stats"]["unique_graphs"],
        sum(counters["graph_break"].values()),
        len(metrics),
        sum(metric.recompile_reason is not None for metric in metrics),
    )


def train(
    scenario: Callable[[Parts], Step],
    backend: str,
    tracked: tuple[int, int] | None,
    logdir: Path | None,
) -> Training:
    """Train `STEPS` steps; those from `tracked[0]` up to `tracked[1]` are tracked."""
    dynamo.reset()
    dynamo.utils.counters.clear()
    dynamo.utils.clear_compilation_metrics()
    torch.manual_seed(3)
    model = Net()
    optimizer = torch.optim.SGD(model.parameters(), lr=0.1, momentum=0.9)
    xs, ys = torch.randn(STEPS, 16, 4), torch.randint(0, 3, (STEPS, 16))

    def compiled(function: Any = None, **options: Any) -> Any:
        return torch.compile(function, backend=backend, **options)

    compiled.backend = backend  # type: ignore[attr-defined]
    step = scenario(Parts(model, optimizer, nn.CrossEntropyLoss(), compiled))
    done = Training()

    def go(first: int, last: int) -> None:
        for index in range(first, last):
            loss = step(xs[index], ys[index])
            done.losses.append(loss.item())
            done.norms.append(gradient_norm(model.parameters()))
            done.counts.append(counted())

    first, last = tracked or (STEPS, STEPS)
    go(0, first)
    if tracked:
        with autotrack.tracking(logdir=str(logdir)) as run:
            go(first, last)
        done.history, done.coverage = run.history, str(run.coverage)
    go(last, STEPS)
    done.state = state_of(model, optimizer)
    return done


@pytest.fixture(autouse=True)
def untouched() -> Iterator[None]:
    """No patch, no hook and no active run outlives a test; Dynamo's own additions may."""
    before = surfaces()
    yield
    left = [n for n in differences(before, surfaces()) if "__resume_at_" not in n]
    assert not left, f"left behind: {left}"
    assert active() is None


@pytest.fixture(scope="module", autouse=True)
def dynamo_is_loaded() -> None:
    """The first compilation loads modules that enter themselves in PyTorch's tables for good."""
    import torch._inductor.compile_fx  # noqa: F401

    plain_training(compiled_with_clipping, "aot_eager")
    if shutil.which("gcc") is not None:
        plain_training(compiled_loss, "inductor")


WHEN = {
    "all": (0, STEPS),
    "compiled before": (2, STEPS),
    "tracked first": (0, 3),
    "between": (2, 4),
}
SEEN = {
    compiled_model: ("Loss/train", "GradNorm/total", "Accuracy/train"),
    compiled_in_place: ("Loss/train", "GradNorm/total", "Accuracy/train"),
    compiled_loss: ("Loss/train", "GradNorm/total"),
    compiled_whole_step: ("Loss/train", "GradNorm/total"),
    compiled_with_clipping: ("Loss/train",),
    compiled_optimizer: ("Loss/train", "GradNorm/total", "Accuracy/train"),
}


@functools.cache
def plain_training(scenario: Callable[[Parts], Step], backend: str) -> Training:
    return train(scenario, backend, None, None)


@pytest.mark.parametrize("when", WHEN)
@pytest.mark.parametrize("scenario", SEEN, ids=lambda s: s.__name__)
def test_tracking_costs_no_compilation(scenario: Any, when: str, tmp_path: Path) -> None:
    plain = plain_training(scenario, "aot_eager")
    tracked = train(scenario, "aot_eager", WHEN[when], tmp_path / "run")
    assert plain.counts[0].graphs > 0, "nothing was compiled: the test would prove nothing"
    compare(scenario, when, plain, tracked)


@pytest.mark.parametrize("when", WHEN)
def test_a_model_like_the_one_that_trains_is_not_compiled_anew(when: str, tmp_path: Path) -> None:
    plain = train(compiled_average, "aot_eager", None, None)
    tracked = train(compiled_average, "aot_eager", WHEN[when], tmp_path / "run")
    assert tracked.state == plain.state
    assert tracked.losses == plain.losses
    assert tracked.counts == plain.counts


@pytest.mark.skipif(shutil.which("gcc") is None, reason="inductor needs a C++ compiler")
def test_inductor(tmp_path: Path) -> None:
    scenario = compiled_loss
    plain = plain_training(scenario, "inductor")
    tracked = train(scenario, "inductor", WHEN["between"], tmp_path / "run")
    compare(scenario, "between", plain, tracked)


def compare(scenario: Any, when: str, plain: Training, tracked: Training) -> None:
    assert tracked.state == plain.state
    assert tracked.losses == plain.losses
    more = [
        (p, t)
        for p, t in zip(plain.counts, tracked.counts, strict=True)
        if any(a < b for a, b in zip(p, t, strict=True))
    ]
    assert not more, "Dynamo did more under tracking (plain, tracked)"
    assert tracked.counts[-1] == plain.counts[-1] or when != "tracked first"
    first, last = WHEN[when]
    assert set(SEEN[scenario]) <= set(tracked.history)
    loss = tracked.history["Loss/train"]
    assert loss.step.tolist() == list(range(last - first))
    assert loss.value.tolist() == torch.tensor(plain.losses[first:last]).tolist()
    if "GradNorm/total" in SEEN[scenario]:
        norms = tracked.history["GradNorm/total"].value.tolist()
        assert norms == pytest.approx(plain.norms[first:last], rel=1e-4)


@pytest.mark.skipif(
    not hasattr(dynamo.config, "trace_autograd_ops"), reason="this Dynamo cannot trace backward"
)
def test_a_backward_inside_the_graph_is_absent_not_wrong(tmp_path: Path) -> None:
    with dynamo.config.patch(trace_autograd_ops=True):
        plain = train(backward_inside, "aot_eager", None, None)
        tracked = train(backward_inside, "aot_eager", WHEN["between"], tmp_path / "run")
    assert tracked.state == plain.state
    assert tracked.losses == plain.losses
    assert tracked.counts == plain.counts
    assert not [tag for tag in tracked.history if tag.startswith(("Loss/", "Accuracy/"))]
    norms = tracked.history["GradNorm/total"].value.tolist()
    assert norms == pytest.approx(plain.norms[2:4], rel=1e-4)
