"""Loops from Accelerate, transformers and Lightning Fabric, each where its package is installed."""

from __future__ import annotations

import contextlib
import importlib
from typing import TYPE_CHECKING, Any

import pytest
import torch
from torch import nn
from torch.utils.data import DataLoader, TensorDataset
from training_state import gradient_norm, state_of
from untouched import differences, surfaces

import autotrack

if TYPE_CHECKING:
    from collections.abc import Callable
    from pathlib import Path

pytestmark = pytest.mark.filterwarnings("ignore")

Known = dict[str, list[float]]


def floats(values: list[float]) -> list[float]:
    return [float(v) for v in torch.tensor(values)]


@pytest.fixture(autouse=True)
def untouched() -> None:
    """These libraries change PyTorch when first used; `plain_and_tracked` looks after that."""


def plain_and_tracked(loop: Callable[[Known], Any], logdir: Path) -> tuple[Known, Any]:
    """Run a loop twice; the training must be the same, bit for bit."""
    knowns: list[Known] = [{}, {}]
    states = []
    torch.manual_seed(2)
    states.append(state_of(*loop(knowns[0])))
    before = surfaces()
    torch.manual_seed(2)
    with autotrack.tracking(logdir=str(logdir)) as run:
        states.append(state_of(*loop(knowns[1])))
    assert not differences(before, surfaces())
    assert states[1] == states[0]
    assert knowns[1] == knowns[0]
    return knowns[0], run.history


def data() -> DataLoader[Any]:
    x, y = torch.randn(24, 4), torch.randint(0, 3, (24,))
    return DataLoader(TensorDataset(x, y), batch_size=6)


def note(known: Known, name: str, value: float) -> None:
    known.setdefault(name, []).append(value)


def test_accelerate_accumulates(tmp_path: Path) -> None:
    accelerate = pytest.importorskip("accelerate", reason="accelerate is not installed")

    def loop(known: Known) -> Any:
        accelerator = accelerate.Accelerator(cpu=True, gradient_accumulation_steps=2)
        model = nn.Linear(4, 3)
        optimizer = torch.optim.SGD(model.parameters(), lr=0.1, momentum=0.9)
        model, optimizer, loader = accelerator.prepare(model, optimizer, data())
        for _epoch in range(2):
            for x, y in loader:
                with accelerator.accumulate(model):
                    loss = nn.functional.cross_entropy(model(x), y)
                    accelerator.backward(loss)
                    note(known, "loss", loss.item())
                    if accelerator.sync_gradients:
                        note(known, "norm", gradient_norm(model.parameters()))
                        accelerator.clip_grad_norm_(model.parameters(), 0.1)
                        note(known, "clipped", gradient_norm(model.parameters()))
                    optimizer.step()
                    optimizer.zero_grad()
        return model, optimizer.optimizer

    known, history = plain_and_tracked(loop, tmp_path / "run")
    losses = known["loss"]
    pairs = [(a + b) / 2 for a, b in zip(losses[::2], losses[1::2], strict=True)]
    assert history["Loss/train"].value.tolist() == pytest.approx(pairs, rel=1e-6)
    assert history["GradNorm/total"].value.tolist() == pytest.approx(known["norm"], rel=1e-4)
    assert history["GradNorm/clipped"].value.tolist() == pytest.approx(known["clipped"], rel=1e-4)
    means = [sum(losses[:4]) / 4, sum(losses[4:]) / 4]
    assert history["Loss/train_epoch"].x.tolist() == [0, 1]
    assert history["Loss/train_epoch"].value.tolist() == pytest.approx(means, rel=1e-6)


def test_accelerate_evaluates(tmp_path: Path) -> None:
    """Its loaders draw a batch ahead, to know the last one."""
    accelerate = pytest.importorskip("accelerate", reason="accelerate is not installed")

    def loop(known: Known) -> Any:
        accelerator = accelerate.Accelerator(cpu=True)
        model = nn.Linear(4, 3)
        optimizer = torch.optim.SGD(model.parameters(), lr=0.1)
        model, optimizer, loader, val_loader = accelerator.prepare(model, optimizer, data(), data())
        for _epoch in range(2):
            model.train()
            for x, y in loader:
                loss = nn.functional.cross_entropy(model(x), y)
                accelerator.backward(loss)
                optimizer.step()
                optimizer.zero_grad()
            model.eval()
            outputs = []
            with torch.no_grad():
                for x, y in val_loader:
                    out = model(x)
                    nn.functional.cross_entropy(out, y)
                    outputs.append((out, y))
            out, y = (torch.cat(column) for column in zip(*outputs, strict=True))
            chances = out.double().log_softmax(1)
            note(known, "loss", -chances.gather(1, y[:, None]).mean().item())
            note(known, "accuracy", 100 * (out.argmax(1) == y).double().mean().item())
        return model, optimizer.optimizer

    known, history = plain_and_tracked(loop, tmp_path / "run")
    assert [tag for tag in history if "val" in tag] == ["Accuracy/val", "Loss/val"]
    for tag, name in (("Loss/val", "loss"), ("Accuracy/val", "accuracy")):
        assert history[tag].x.tolist() == [0, 1]
        assert history[tag].value.tolist() == pytest.approx(known[name], rel=1e-6)


def test_fabric(tmp_path: Path) -> None:
    fabric_package = pytest.importorskip(
        "lightning_fabric", reason="lightning-fabric is not installed"
    )

    def loop(known: Known) -> Any:
        fabric = fabric_package.Fabric(accelerator="cpu", devices=1)
        bare = nn.Linear(4, 3)
        model, optimizer = fabric.setup(bare, torch.optim.SGD(bare.parameters(), lr=0.1))
        loader = fabric.setup_dataloaders(data())
        for _epoch in range(2):
            for x, y in loader:
                optimizer.zero_grad()
                loss = nn.functional.cross_entropy(model(x), y)
                fabric.backward(loss)
                note(known, "loss", loss.item())
                note(known, "norm", gradient_norm(bare.parameters()))
                optimizer.step()
        return bare, optimizer.optimizer

    known, history = plain_and_tracked(loop, tmp_path / "run")
    losses = known["loss"]
    assert history["Loss/train"].value.tolist() == floats(losses)
    assert history["Loss/train"].epoch.tolist() == [0] * 4 + [1] * 4
    assert history["GradNorm/total"].value.tolist() == pytest.approx(known["norm"], rel=1e-4)
    assert {tag.partition("/")[2] for tag in history.histograms} == {"weight", "bias"}


def test_a_model_of_transformers(tmp_path: Path) -> None:
    transformers = pytest.importorskip("transformers", reason="transformers is not installed")
    with contextlib.suppress(ImportError):
        # transformers imports torchvision where it is there.
        importlib.import_module("_torchvision")

    def loop(known: Known) -> Any:
        config = transformers.GPT2Config(
            vocab_size=11,
            n_positions=8,
            n_embd=8,
            n_layer=1,
            n_head=2,
            bos_token_id=0,
            eos_token_id=0,
        )
        model = transformers.GPT2LMHeadModel(config)
        optimizer = torch.optim.AdamW(model.parameters(), lr=0.01)
        tokens = torch.randint(0, 11, (12, 8))
        for _epoch in range(2):
            for start in range(0, 12, 4):
                batch = tokens[start : start + 4]
                output = model(input_ids=batch, labels=batch)
                output.loss.backward()
                note(known, "loss", output.loss.item())
                note(known, "norm", gradient_norm(model.parameters()))
                optimizer.step()
                optimizer.zero_grad()
        return model, optimizer

    known, history = plain_and_tracked(loop, tmp_path / "run")
    assert history["Loss/train"].value.tolist() == floats(known["loss"])
    assert history["GradNorm/total"].value.tolist() == pytest.approx(known["norm"], rel=1e-4)
