"""What runs on tensors that stand for others, or hold no numbers, is no training and evaluates
nothing; and it must not end a run."""

from __future__ import annotations

from typing import Any

import pytest
import torch
from torch import nn
from torch._subclasses.fake_tensor import FakeTensorMode
from torch.fx.experimental.proxy_tensor import make_fx
from torch.utils.data import DataLoader, TensorDataset

import autotrack
from autotrack import context


def train(model: nn.Module, device: str = "cpu", steps: int = 3) -> list[torch.Tensor]:
    """Some steps and an evaluation; returns the losses."""
    optimizer = torch.optim.SGD(model.parameters(), lr=0.1, momentum=0.9)
    criterion, losses = nn.CrossEntropyLoss(), []
    x = torch.randn(6, 4, device=device)
    y = torch.zeros(6, dtype=torch.long, device=device)
    for _ in range(steps):
        loss = criterion(model(x), y)
        optimizer.zero_grad()
        loss.backward()
        nn.utils.clip_grad_norm_(model.parameters(), 1.0)
        optimizer.step()
        losses.append(loss)
    with torch.no_grad():
        criterion(model(x), y)
    return losses


def on_meta() -> None:
    train(nn.Linear(4, 3, device="meta"), "meta")


def on_fakes() -> None:
    with FakeTensorMode():
        train(nn.Linear(4, 3))


@pytest.fixture(autouse=True, scope="module")
def all_registered() -> None:
    """Let PyTorch register what it does when it traces for the first time."""
    on_fakes()
    exported(nn.Linear(4, 3), torch.randn(2, 4))


@pytest.mark.parametrize("rehearse", [on_meta, on_fakes])
@pytest.mark.parametrize("first", [True, False])
def test_a_rehearsal_leaves_no_trace(tmp_path, rehearse, first):
    model = nn.Linear(4, 3)
    with autotrack.tracking(logdir=tmp_path, strict=True) as run:
        losses = [] if first else train(model)
        rehearse()
        losses += train(model)
    series = run.history["Loss/train"]
    assert series.value.tolist() == [loss.item() for loss in losses]
    assert series.step.tolist() == list(range(len(losses)))
    assert "Loss/val" not in run.history
    assert len(run.history["GradNorm/total"].value) == len(losses)


def traced(model: nn.Module, inputs: Any) -> None:
    torch.jit.trace(model, inputs)


def exported(model: nn.Module, inputs: Any) -> None:
    torch.export.export(model, (inputs,))


def as_a_graph(model: nn.Module, inputs: Any) -> None:
    make_fx(model)(inputs)


def called(model: nn.Module, inputs: Any) -> None:
    model(inputs)


@pytest.mark.filterwarnings("ignore:`torch.jit.trace:DeprecationWarning")
@pytest.mark.parametrize(
    ("look", "evaluates"), [(traced, False), (exported, False), (as_a_graph, False), (called, True)]
)
def test_a_model_that_is_traced_on_a_batch_is_not_evaluated(tmp_path, look, evaluates):
    x, y = torch.randn(20, 4), torch.randint(0, 3, (20,))
    train_loader = DataLoader(TensorDataset(x[:12], y[:12]), batch_size=4)
    val_loader = DataLoader(TensorDataset(x[12:], y[12:]), batch_size=4)
    model, criterion = nn.Linear(4, 3), nn.CrossEntropyLoss()
    optimizer = torch.optim.SGD(model.parameters(), lr=0.1)
    with autotrack.tracking(logdir=tmp_path, strict=True) as run:
        for inputs, labels in train_loader:
            loss = criterion(model(inputs), labels)
            optimizer.zero_grad()
            loss.backward()
            optimizer.step()
        inputs, _ = next(iter(val_loader))
        with torch.no_grad():
            look(model, inputs)
    assert ("Accuracy/val" in run.history) is evaluates


@pytest.mark.filterwarnings("ignore:`torch.jit.trace:DeprecationWarning")
def test_a_model_is_traced_where_nobody_is_known_to_train_yet():
    with autotrack.tracking(logdir="run"):
        token = context.enter(context.Newcomer())
        traced(nn.Linear(4, 3), torch.randn(2, 4))
        context.leave(token)
