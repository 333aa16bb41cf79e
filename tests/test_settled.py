"""The short path of settled steps writes what the interpreter writes, whatever the loop does.

Every loop of `tests/loops` is tracked twice: once with every step interpreted, once with steps
taken as settled as early as can be.
"""

from __future__ import annotations

import math
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import torch
from test_loops import LOOPS, load, run_once
from torch.utils.data import DataLoader, TensorDataset

import autotrack
from autotrack.budget import NORM
from autotrack.capture import models, pattern
from autotrack.devices import Device
from autotrack.keeper import Keeper
from autotrack.metrics import Metric

# What a clock decides.
TIMED = ("Throughput/",)
#: Sums over many calls at once are rounded otherwise than call by call.
ROUNDED = ("R2/", "MAE/")
#: On a device a step's scores are searched for NaN only once a loss was none, and the accuracy is
#: absent until then; those of many settled steps are searched together, and it is known.
SCORES_THAT_ARE_NO_NUMBERS = {"nonfinite_loss"}
#: The loops that settle, as those have that go on alike for a few steps.
SETTLE = frozenset(
    [
        "accumulation_discarded",
        "amp_accumulation_for_long",
        "amp_bf16",
        "amp_clipped_for_long",
        "amp_disabled",
        "amp_for_long",
        "amp_scaler",
        "amp_unscale_clip",
        "backward_failed",
        "backward_loss_changed_after",
        "clip_imported_by_name",
        "clip_norm",
        "clip_now_and_then",
        "clip_part",
        "clip_value",
        "clip_value_now_and_then",
        "epochs_break",
        "epochs_curriculum",
        "epochs_infinite_dataset",
        "epochs_infinite_loader",
        "epochs_times_batches",
        "epochs_list_of_batches",
        "epochs_max_steps",
        "epochs_next_iterator",
        "epochs_one_step_again",
        "epochs_one_step_binary",
        "epochs_one_step_classes",
        "epochs_one_step_each",
        "epochs_none_iterations",
        "evaluation_empty_loader",
        "evaluation_every_k_steps_no_epochs",
        "evaluation_phase_loop",
        "evaluation_same_function",
        "groups_two",
        "groups_unfrozen",
        "models_rate_finder",
        "models_reptile",
        "models_tiny_gpt",
        "nonfinite_loss",
        "odd_backward_in_no_grad",
        "odd_copied_and_saved",
        "odd_interrupted",
        "odd_no_zero_grad",
        "odd_resumed",
        "odd_step_in_forward",
        "odd_train_overridden",
        "odd_trainings_in_turn",
        "optimizer_user_class",
        "params_bfloat16",
        "params_double",
        "params_tied",
        "params_unused",
        "schedule_per_epoch",
        "schedule_per_step",
        "streams_replaced",
        "tasks_many_words",
        "tasks_tokens_transposed",
        "wild_saved_whole",
    ]
)


@pytest.fixture(params=LOOPS, ids=lambda path: path.stem)
def path(request: pytest.FixtureRequest) -> Path:
    chosen: Path = request.param
    return chosen


class Pretended(Device):
    """The CPU as a device: every number is sent home, and has arrived when asked a second time."""

    def __init__(self, device: torch.device) -> None:
        self._device, self.wide = device, torch.float64
        self._asked = False

    def stream_number(self) -> int:
        return 0

    def stream(self) -> None:
        return None

    def home(self, length: int) -> torch.Tensor:
        return torch.empty(length, dtype=self.wide)

    def copy(self, there: torch.Tensor, home: torch.Tensor) -> Any:
        home.copy_(there)
        return Arriving()


class Arriving:
    def __init__(self) -> None:
        self.asked = 0

    def query(self) -> bool:
        self.asked += 1
        return self.asked > 1

    def synchronize(self) -> None:
        self.asked = 2


def let_everything_travel(patch: pytest.MonkeyPatch) -> None:
    """Let the numbers of the CPU go the way of a device's, which only a GPU has else."""
    patch.setattr("autotrack.transfer.Device", Pretended)
    patch.setattr("autotrack.transfer.Transfer.carries", staticmethod(lambda tensor: True))
    patch.setattr("autotrack.transfer.BLOCK", 64)
    patch.setattr("autotrack.capture.settled.MOST_STEPS", 64)
    patch.setattr("autotrack.recorder._FLUSH_ROWS", 30)


def tracked(path: Path, directory: Path, settled_by: float, **options: Any) -> Any:
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(pattern, "SETTLED_BY", settled_by)
        # How fast the machine is decides neither when rows are written nor what is left out.
        patch.setattr("autotrack.recorder._FLUSH_SECONDS", 1e6)
        with autotrack.tracking(logdir=directory, strict=True, budget=None, **options) as run:
            outcome = run_once(load(path).loop)
    outcome.look_for_traces()
    return outcome, run, autotrack.read(run.directory)


def series(history: Any) -> dict[str, tuple[list[float], ...]]:
    return {
        tag: tuple(column.tolist() for column in (one.x, one.value, one.step, one.epoch))
        for tag, one in history.items()
        if not tag.startswith(TIMED)
    }


def beside_the_series(history: Any) -> dict[str, Any]:
    """Where everything stands that is no series, and what it holds where that is numbers."""
    kinds = (history.histograms, history.vectors, history.confusion, history.modes)
    placed = {f"{kind}": history.epoch_starts(kind) for kind in ["", *history.streams]}
    found: dict[str, Any] = {k: [part.tolist() for part in both] for k, both in placed.items()}
    for number, kind in enumerate(kinds):
        for name, one in kind.items():
            found[f"{number} {name}"] = [one.step.tolist(), one.epoch.tolist()]
    for name, one in history.confusion.items():
        found[f"counts of {name}"] = one.counts.tolist()
    return found


def differences(one: Any, other: Any, rounded: tuple[str, ...] = ROUNDED) -> Iterator[str]:
    before, after = series(one), series(other)
    for tag in sorted(before.keys() ^ after.keys()):
        yield f"{tag}: {len(before.get(tag, [[]])[0])} and {len(after.get(tag, [[]])[0])} points"
    for tag in sorted(before.keys() & after.keys()):
        names = ("x", "value", "step", "epoch")
        for name, a, b in zip(names, before[tag], after[tag], strict=True):
            tolerance = 1e-6 if name == "value" and tag.startswith(rounded) else 0.0
            if len(a) != len(b) or not np.allclose(a, b, tolerance, 0.0, equal_nan=True):
                yield f"{tag}: {name} {a[:12]} and {b[:12]}"


@pytest.mark.usefixtures("nothing_compiled")
def test_the_record_is_the_same(path, tmp_path, monkeypatch):
    interpreted, long_way, whole = tracked(path, tmp_path / "interpreted", math.inf)
    settled, short_way, found = tracked(path, tmp_path / "settled", 1)
    assert long_way.settled.taken == 0
    assert settled.state == interpreted.state
    assert list(differences(whole, found)) == []
    assert beside_the_series(found) == beside_the_series(whole)
    assert without_times(short_way.coverage) == without_times(long_way.coverage)
    assert short_way.settled.taken or path.stem not in SETTLE
    if short_way.settled.taken:
        let_everything_travel(monkeypatch)
        compare_where_numbers_travel(path, tmp_path)


@pytest.mark.parametrize("name", sorted(SETTLE))
@pytest.mark.usefixtures("nothing_compiled")
def test_the_record_is_the_same_where_epochs_end_without_a_snapshot(name, tmp_path):
    path = next(path for path in LOOPS if path.stem == name)
    interpreted, _, whole = tracked(path, tmp_path / "interpreted", math.inf, histograms=3)
    settled, _, found = tracked(path, tmp_path / "settled", 1, histograms=3)
    assert settled.state == interpreted.state
    assert list(differences(whole, found)) == []
    assert beside_the_series(found) == beside_the_series(whole)


def many_epochs(epochs: int, batches: int) -> torch.nn.Module:
    torch.manual_seed(0)
    data = TensorDataset(torch.randn(4 * batches, 3), torch.randint(2, (4 * batches,)))
    loader = DataLoader(data, batch_size=4, shuffle=True)
    model = torch.nn.Linear(3, 2)
    optimizer = torch.optim.SGD(model.parameters(), lr=0.1)
    for _epoch in range(epochs):
        for x, y in loader:
            loss = torch.nn.functional.cross_entropy(model(x), y)
            optimizer.zero_grad()
            loss.backward()
            optimizer.step()
    return model


@pytest.mark.parametrize(("every", "least"), [(1, 120), (4, 160), (0, 170)])
def test_the_last_step_of_an_epoch_goes_the_long_way_only_for_a_snapshot(every, least, tmp_path):
    """Of 240 steps 117 are taken as settled where the last of each epoch is not."""
    runs = []
    for name, settled_by in (("interpreted", math.inf), ("settled", 1)):
        with pytest.MonkeyPatch.context() as patch:
            patch.setattr(pattern, "SETTLED_BY", settled_by)
            options: dict[str, Any] = {"strict": True, "budget": None, "histograms": every}
            with autotrack.tracking(logdir=tmp_path / name, **options) as run:
                many_epochs(40, 6)
        runs.append((run, autotrack.read(run.directory)))
    (_, whole), (run, found) = runs
    assert list(differences(whole, found)) == []
    assert beside_the_series(found) == beside_the_series(whole)
    assert run.settled.taken >= least


@pytest.mark.parametrize("training", [True, False])
def test_steps_settle_while_the_model_of_an_earlier_training_evaluates(training, tmp_path):
    taken = []
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(pattern, "SETTLED_BY", 1)
        with autotrack.tracking(logdir=tmp_path, strict=True, budget=None, histograms=0) as run:
            for _model in range(2):
                earlier = many_epochs(10, 6).train(training)
                taken.append(run.settled.taken)
    assert isinstance(earlier, torch.nn.Module)
    assert taken[0] > 30
    assert taken[1] - taken[0] > 30


def test_a_model_that_keeps_its_hook_and_computes_its_own_loss_settles(tmp_path, monkeypatch):
    monkeypatch.setattr(models, "_is_anything_compiled", lambda: True)
    _, run, _ = tracked(Path(__file__).parent / "loops/models_tiny_gpt.py", tmp_path / "run", 1)
    assert run.settled.taken == 2


def compare_where_numbers_travel(path: Path, directory: Path) -> None:
    interpreted, _, whole = tracked(path, directory / "interpreted there", math.inf)
    settled, short_way, found = tracked(path, directory / "settled there", 1)
    assert settled.state == interpreted.state
    assert short_way.settled.taken or path.stem not in SETTLE
    if path.stem not in SCORES_THAT_ARE_NO_NUMBERS:
        assert beside_the_series(found) == beside_the_series(whole)
    # On a device each gradient's norm is taken in double precision.
    wrong = differences(whole, found, (*ROUNDED, "GradNorm/"))
    if path.stem in SCORES_THAT_ARE_NO_NUMBERS:
        wrong = (line for line in wrong if not line.startswith("Accuracy/"))
    assert list(wrong) == []


def without_times(coverage: Any) -> list[tuple[Any, ...]]:
    return [line for line in coverage.lines if "hroughput" not in str(line)]


@pytest.mark.parametrize("every", [2, 5])
@pytest.mark.parametrize(
    "name", ["clip_now_and_then", "clip_value_now_and_then", "epochs_one_step_each"]
)
def test_the_record_is_the_same_where_the_budget_leaves_norms_out(name, every, tmp_path):
    """A step has both its norms or neither, whichever way it went."""
    path = next(path for path in LOOPS if path.stem == name)

    def sparse(directory: Path, settled_by: float) -> Any:
        with pytest.MonkeyPatch.context() as patch:
            patch.setattr(pattern, "SETTLED_BY", settled_by)
            with autotrack.tracking(logdir=directory, strict=True, budget=None) as run:
                run._surroundings.intervals[NORM] = every
                run_once(load(path).loop)
        return run, autotrack.read(run.directory)

    _, whole = sparse(tmp_path / "interpreted", math.inf)
    short_way, found = sparse(tmp_path / "settled", 1)
    assert short_way.settled.taken > 50
    assert list(differences(whole, found)) == []
    steps = found["GradNorm/total"].step
    assert 0 < len(steps) <= 1 + len(found["Loss/train"]) / every
    assert all(step % every == 0 for step in steps)


class _TooFew(Keeper):
    def fold(self, steps: Any) -> None:
        steps.block.columns.append(("Broken/whole", [1.0] * len(steps.ends)))
        steps.block.columns.append(("Broken/short", [1.0]))


class ColumnsTooShort(Metric):
    """A metric of somebody's that loses count of the steps."""

    def settle(self, pattern: Any) -> Keeper:
        return _TooFew()


def test_a_column_of_another_length_costs_its_metric_and_not_the_record(tmp_path, caplog):
    torch.manual_seed(0)
    x = torch.randn(10, 2)
    model = torch.nn.Linear(2, 1)
    optimizer = torch.optim.SGD(model.parameters(), lr=0.01)
    wanted = [f"+{__name__}:ColumnsTooShort"]
    with autotrack.tracking(logdir=tmp_path / "run", metrics=wanted, strict=False) as run:
        for _ in range(100):
            loss = torch.nn.functional.mse_loss(model(x), x[:, :1])
            optimizer.zero_grad()
            loss.backward()
            optimizer.step()
    found = autotrack.read(run.directory)
    assert len(found["Loss/train"]) == 100
    assert [tag for tag in found if tag.startswith("Broken/")] == []
    assert "Broken/short has 1 values where" in caplog.text


def clipped_training(clip: Any, at_step: Any) -> torch.Tensor:
    torch.manual_seed(0)
    x = torch.randn(10, 2)
    model = torch.nn.Linear(2, 1)
    optimizer = torch.optim.SGD(model.parameters(), lr=0.1)
    for step in range(60):
        at_step(step)
        loss = torch.nn.functional.mse_loss(model(x), x[:, :1])
        optimizer.zero_grad()
        loss.backward()
        clip(model.parameters(), 0.1)
        optimizer.step()
    return model.weight.detach().clone()


@pytest.mark.parametrize(
    ("clip", "reader"),
    [
        (torch.nn.utils.clip_grad_norm_, "_parameters_of"),
        (torch.nn.utils.clip_grad_value_, "_tensors_in"),
    ],
)
def test_a_clipping_that_cannot_be_read_breaks_no_settled_training(
    clip, reader, tmp_path, monkeypatch
):
    """PyTorch may pass its parameters under another name some day."""
    untracked = clipped_training(clip, lambda step: None)
    taken = []

    def renamed(_: object) -> Any:
        raise KeyError("parameters")

    with autotrack.tracking(logdir=tmp_path / "run", strict=False) as run:

        def rename(step: int) -> None:
            if step == 40:
                run.history  # noqa: B018 - whatever is settled is folded by that
                taken.append(run.settled.taken)
                monkeypatch.setattr(f"autotrack.observers.clipping.{reader}", renamed)

        tracked_weight = clipped_training(clip, rename)
    assert taken[0] > 20
    assert torch.equal(tracked_weight, untracked)


def scaled_training(deviation: str) -> torch.nn.Module:
    """Sixty steps under a gradient scaler; at the thirtieth something is otherwise."""
    torch.manual_seed(1)
    model = torch.nn.Linear(3, 2)
    optimizer = torch.optim.SGD(model.parameters(), lr=0.1)
    scaler, other = (torch.amp.GradScaler("cpu", init_scale=size) for size in (8.0, 32.0))
    x, y = torch.randn(60, 5, 3), torch.randint(2, (60, 5))
    for step in range(60):
        here = deviation if step == 30 else ""
        loss = torch.nn.functional.cross_entropy(model(x[step]), y[step])
        if deviation.startswith("a penalty"):
            loss = loss + 0.01 * model.weight.square().sum()
        using = other if here == "another scaler" else scaler
        optimizer.zero_grad()
        if here == "changed in place":
            loss += 0.5
        if here == "changed without a trace":
            with torch.no_grad():
                loss += 0.5
        if here.endswith("scaled in vain"):
            using.scale(loss + 1 if here.startswith("another") else loss)
        if here == "not scaled":
            loss.backward()
            optimizer.step()
            continue
        if here == "another loss":
            loss = (model(x[step]) ** 2).mean()
        scaled = using.scale(loss)
        (scaled * 2 if here == "more than scaled" else scaled).backward()
        using.step(optimizer)
        using.update()
    return model


DEVIATIONS = ["another scaler", "changed in place", "scaled in vain", "a penalty, scaled in vain"]
DEVIATIONS += ["another one scaled in vain", "not scaled", "another loss", "more than scaled"]
DEVIATIONS += ["changed without a trace"]


@pytest.mark.parametrize("deviation", DEVIATIONS)
@pytest.mark.usefixtures("nothing_compiled")
def test_what_is_scaled_otherwise_is_no_settled_step(deviation, tmp_path):
    runs = []
    for name, settled_by in (("interpreted", math.inf), ("settled", 1)):
        with pytest.MonkeyPatch.context() as patch:
            patch.setattr(pattern, "SETTLED_BY", settled_by)
            with autotrack.tracking(logdir=tmp_path / name, strict=True, budget=None) as run:
                scaled_training(deviation)
        runs.append((run, autotrack.read(run.directory)))
    (_, whole), (run, found) = runs
    assert run.settled.taken > 40
    assert list(differences(whole, found)) == []
    assert without_times(runs[0][0].coverage) == without_times(run.coverage)


@pytest.mark.parametrize("settled_by", [math.inf, 1])
def test_a_first_scaled_step_that_is_skipped_is_told_after_steps_without_a_scaler(
    settled_by, tmp_path
):
    path = next(path for path in LOOPS if path.stem == "amp_after_warm_up")
    *_, history = tracked(path, tmp_path, settled_by)
    assert history.skipped[""].tolist() == [10, 19]
    assert sum(len(places) for places in history.skipped.values()) == 2
