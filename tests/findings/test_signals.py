"""What the record holds for findings that curves alone cannot show, against what the loop did."""

from __future__ import annotations

import copy
import json
from dataclasses import replace

import numpy as np
import pytest
import torch
from torch import nn
from torch.utils.data import DataLoader, TensorDataset

import autotrack
from autotrack import events
from autotrack.findings import find
from autotrack.metrics import Surroundings
from autotrack.metrics.loader_wait import LoaderWait
from autotrack.row import Row


def data(samples=32, classes=3):
    torch.manual_seed(0)
    return torch.randn(samples, 4), torch.randint(0, classes, (samples,))


def tracked(loop):
    with autotrack.tracking(logdir="run") as run:
        loop()
    return run.history


@pytest.mark.parametrize("clear", ["never", "none", "zeros", "by hand", "by hand to zero"])
def test_carried_gradients_are_those_that_nobody_cleared(clear):
    model = nn.Linear(4, 3)
    optimizer = torch.optim.SGD(model.parameters(), lr=0.01)
    x, y = data()
    norms = []

    def loop():
        for _ in range(9):
            if clear in ("none", "zeros"):
                optimizer.zero_grad(set_to_none=clear == "none")
            for p in model.parameters():
                if clear == "by hand":
                    p.grad = None
                elif clear == "by hand to zero" and p.grad is not None:
                    p.grad.zero_()
            nn.functional.cross_entropy(model(x), y).backward()
            optimizer.step()
            norms.append(float(torch.cat([p.grad.flatten() for p in model.parameters()]).norm()))

    history = tracked(loop)
    if clear == "never":
        carried = history["GradNorm/carried"]
        assert carried.step.tolist() == [1, 2, 3, 4, 8]
        np.testing.assert_allclose(carried.value, [norms[s - 1] for s in carried.step], rtol=1e-5)
    else:
        assert "GradNorm/carried" not in history


def test_an_adversary_that_leaves_gradients_behind_carries_none():
    generator, critic = nn.Linear(4, 4), nn.Linear(4, 1)
    opt_g = torch.optim.SGD(generator.parameters(), lr=0.01)
    opt_d = torch.optim.SGD(critic.parameters(), lr=0.01)

    def loop():
        for _ in range(9):
            opt_d.zero_grad(set_to_none=False)
            real, fake = torch.randn(8, 4), generator(torch.randn(8, 4))
            (critic(fake.detach()).mean() - critic(real).mean()).backward()
            opt_d.step()
            opt_g.zero_grad(set_to_none=False)
            (-critic(fake).mean()).backward()
            opt_g.step()

    history = tracked(loop)
    assert set(history.streams) == {"opt_g", "opt_d"}
    assert not [tag for tag in history if tag.startswith("GradNorm/carried")]


def test_micro_batches_carry_nothing_from_the_step_before():
    model = nn.Linear(4, 3)
    optimizer = torch.optim.SGD(model.parameters(), lr=0.01)
    x, y = data()

    def loop():
        for _ in range(9):
            for part in range(2):
                rows = slice(16 * part, 16 * part + 16)
                (nn.functional.cross_entropy(model(x[rows]), y[rows]) / 2).backward()
            optimizer.step()
            optimizer.zero_grad(set_to_none=False)

    assert "GradNorm/carried" not in tracked(loop)


def test_rows_without_gradient_are_those_of_units_that_rest():
    torch.manual_seed(0)
    model = nn.Sequential(nn.Embedding(50, 4), nn.Linear(4, 8), nn.ReLU(), nn.Linear(8, 3))
    with torch.no_grad():
        model[1].bias[:6] = -100.0
    optimizer = torch.optim.SGD(model.parameters(), lr=0.01)
    index, y = torch.randint(0, 5, (32,)), torch.randint(0, 3, (32,))

    def loop():
        for _epoch in range(3):
            optimizer.zero_grad()
            nn.functional.cross_entropy(model(index), y).backward()
            optimizer.step()

    rows = tracked(loop).vectors["autotrack/zero_gradient_rows"]
    assert rows.names == ["0.weight", "1.weight", "1.bias", "3.weight", "3.bias"]
    by_hand = (model[1].weight.grad == 0).all(1).float().mean().item()
    assert np.isnan(rows.value[:, 0]).all()
    assert rows.value[-1, 1] == pytest.approx(by_hand)
    assert rows.value[-1, 1:].tolist() == [0.75, 0.75, 0.0, 0.0]


@pytest.mark.parametrize(
    ("samples", "parts", "told"), [(1, 1, False), (15, 1, False), (16, 1, True), (4, 4, True)]
)
def test_few_samples_say_nothing_of_units(samples, parts, told):
    torch.manual_seed(0)
    model = nn.Sequential(nn.Linear(4, 8), nn.ReLU(), nn.Linear(8, 3))
    optimizer = torch.optim.SGD(model.parameters(), lr=0.01)
    x, y = torch.randn(samples, 4), torch.randint(0, 3, (samples,))

    def loop():
        for _epoch in range(6):
            optimizer.zero_grad()
            for _ in range(parts):
                (nn.functional.cross_entropy(model(x), y) / parts).backward()
            optimizer.step()

    made = tracked(loop)
    rows = made.vectors["autotrack/zero_gradient_rows"].value
    assert rows.shape == (6, 4)
    assert bool(np.isnan(rows).all()) is not told
    assert bool(np.isfinite(rows).all()) is told


@pytest.mark.parametrize("precision", [torch.float32, torch.bfloat16, torch.complex64])
def test_a_row_that_only_begins_with_zero_is_none_without_gradient(precision):
    model = nn.Linear(3, 4, bias=False, dtype=precision)
    optimizer = torch.optim.SGD(model.parameters(), lr=0.01)
    x = torch.tensor([[0.0, 0.0, 1.0]], dtype=precision)

    def loop():
        for _epoch in range(3):
            optimizer.zero_grad()
            # The last two outputs lead nowhere.
            model(x)[:, :2].abs().sum().backward()
            optimizer.step()

    assert tracked(loop).vectors["autotrack/zero_gradient_rows"].value[-1].tolist() == [0.5]


@pytest.mark.parametrize("forgotten", ["nothing", "eval", "train"])
def test_modes_are_counted_by_phase(forgotten):
    model = nn.Sequential(nn.Linear(4, 8), nn.Dropout(0.5), nn.Linear(8, 3))
    optimizer = torch.optim.SGD(model.parameters(), lr=0.01)
    loader = DataLoader(TensorDataset(*data()), batch_size=8)
    val_loader = DataLoader(TensorDataset(*data()), batch_size=8)
    criterion = nn.CrossEntropyLoss()

    def loop():
        for _epoch in range(3):
            if forgotten != "train":
                model.train()
            for x, y in loader:
                optimizer.zero_grad()
                criterion(model(x), y).backward()
                optimizer.step()
            if forgotten != "eval":
                model.eval()
            with torch.no_grad():
                for x, y in val_loader:
                    criterion(model(x), y)

    # the model is not known before its first step
    history = tracked(loop)
    modes = history.coverage["modes"]
    assert {phase: [int(s.value.sum()), len(s)] for phase, s in history.modes.items()} == {
        phase: [counts[0], counts[0] + counts[1]] for phase, counts in modes.items()
    }
    assert history.modes["val"].epoch.tolist() == [0, 1, 2]
    # a run that was killed has no coverage
    killed = replace(history, coverage={})
    assert [f.title for f in find(killed)] == [f.title for f in find(history)]
    assert modes["val"] == ([3, 0, 1] if forgotten == "eval" else [0, 3, 0])
    assert modes["train"] == ([1, 2, 0] if forgotten == "train" else [3, 0, 1])


def test_of_another_model_that_is_evaluated_the_mode_is_not_known():
    """An average of the weights is evaluated, in `eval()`, while the model stays as it trains."""
    model = nn.Sequential(nn.Linear(4, 8), nn.Dropout(0.5), nn.Linear(8, 3))
    average = copy.deepcopy(model).eval()
    optimizer = torch.optim.SGD(model.parameters(), lr=0.01)
    loader = DataLoader(TensorDataset(*data()), batch_size=8)
    val_loader = DataLoader(TensorDataset(*data()), batch_size=8)

    def loop():
        for _epoch in range(3):
            for x, y in loader:
                optimizer.zero_grad()
                nn.functional.cross_entropy(model(x), y).backward()
                optimizer.step()
            with torch.no_grad():
                for x, y in val_loader:
                    nn.functional.cross_entropy(average(x), y)

    history = tracked(loop)
    assert len(history["Loss/val"]) == 3
    assert set(history.modes) == {"train"}
    assert "val" not in history.coverage["modes"]


@pytest.mark.parametrize("forgotten", [False, True])
@pytest.mark.parametrize("gradients", [True, False])
@pytest.mark.parametrize("epochs", [3, 40])
def test_the_mode_is_that_in_which_the_evaluation_was_made(forgotten, gradients, epochs):
    """With gradients it shows later only that a call was evaluation: by then training goes on."""
    model = nn.Sequential(nn.Linear(4, 8), nn.Dropout(0.5), nn.Linear(8, 3))
    optimizer = torch.optim.SGD(model.parameters(), lr=0.01)
    criterion = nn.CrossEntropyLoss()
    x, y = data()

    def loop():
        for _epoch in range(epochs):
            model.train()
            optimizer.zero_grad()
            criterion(model(x[:16]), y[:16]).backward()
            optimizer.step()
            if not forgotten:
                model.eval()
            with torch.set_grad_enabled(gradients):
                val_loss = criterion(model(x[16:]), y[16:])
            model.train()
        assert val_loss.requires_grad is gradients

    modes = tracked(loop).coverage["modes"]
    if forgotten and gradients:
        # a call in training mode, with gradients, is no evaluation by all that can be seen
        assert list(modes) == ["train"]
    else:
        assert modes["val"] == ([epochs, 0, 1] if forgotten else [0, epochs, 0])


def test_waiting_for_the_loader_is_a_share_of_the_time_between_steps(monkeypatch):
    clock = iter(np.arange(0.0, 10.0, 0.4).tolist())
    monkeypatch.setattr("autotrack.metrics.loader_wait.time.perf_counter", lambda: next(clock))
    metric, stream, rows = LoaderWait(Surroundings(lambda _: None)), object(), []
    for step in range(8):
        metric.batch_awaited(events.BatchAwaited(0.1))
        if step == 5:
            metric.evaluating(events.EvaluationBatchSeen(None, None))
        rows.append(Row(step, 0.0))
        metric.step_taken(events.StepTaken(stream, step, None, [], [], rows[-1], snapshot=False))
    # three intervals of 0.4 s with 0.1 s of waiting in each; one beside an evaluation is left out
    assert [(row.x, row.scalars) for row in rows if row.scalars] == [
        (3, [("Throughput/loader_wait", pytest.approx(25.0))]),
        (7, [("Throughput/loader_wait", pytest.approx(25.0))]),
    ]


def test_findings_stand_at_the_end_of_the_record():
    model = nn.Linear(4, 3)
    optimizer = torch.optim.SGD(model.parameters(), lr=1e30)
    x, y = data()

    def loop():
        for _ in range(20):
            optimizer.zero_grad()
            (model(x) ** 4).mean().backward()
            optimizer.step()

    history = tracked(loop)
    ((_, text),) = history.texts["findings"]
    assert "not finite" in text
    assert history.coverage["counts"]["steps"] == 20
    assert y is not None
    assert json.dumps(history.coverage["modes"]) == "{}"
