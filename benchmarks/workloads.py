"""The loops that everything is measured on, as people write them.

A loop goes on for ever and hands control back after every so many steps, so that contenders can
take turns in one process. `log` is what a person writes into the loop by hand; most loops get none.
"""

from __future__ import annotations

import functools
import sys
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, Protocol

import torch
from torch import nn
from torch.utils.data import DataLoader, TensorDataset

from benchmarks.models import Transformer, half_resnet, lenet, mlp

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator


class Log(Protocol):
    """Lines that a person adds to the loop."""

    def step(self, loss: Any, outputs: Any, labels: Any, model: Any, optimizer: Any) -> None:
        """After `optimizer.step()`."""

    def epoch(self, model: Any) -> None:
        """After the last batch of an epoch."""


@dataclass(frozen=True)
class Workload:
    """What is trained: `steps` make a block of a fraction of a second."""

    name: str
    steps: int
    make: Callable[[], tuple[nn.Module, nn.Module, torch.optim.Optimizer, Any]]

    def loop(self, log: Log | None = None) -> Iterator[None]:
        """Train for ever."""
        model, criterion, optimizer, loader = self.make()
        done = 0
        for _epoch in range(sys.maxsize):
            for inputs, labels in loader:
                outputs = model(inputs)
                loss = criterion(outputs, labels)
                optimizer.zero_grad()
                loss.backward()
                optimizer.step()
                if log is not None:
                    log.step(loss, outputs, labels, model, optimizer)
                done += 1
                if done % self.steps == 0:
                    yield
            if log is not None:
                log.epoch(model)

    def update(self, model: Any, criterion: Any, optimizer: Any, batch: Any) -> Any:
        """Take one step of that loop where others have the loop; return the loss."""
        optimizer.zero_grad()
        loss: Any = criterion(model(batch[0]), batch[1])
        loss.backward()
        optimizer.step()
        return loss


@dataclass(frozen=True)
class Kind(Workload):
    """The MLP of the tutorial, trained by another kind of step, which returns loss and scores."""

    step: Callable[..., tuple[Any, Any]]

    def loop(self, log: Log | None = None) -> Iterator[None]:
        """Train for ever."""
        model, _, optimizer, batches = self.make()
        for _epoch in range(sys.maxsize):
            for inputs, labels in batches:
                loss, outputs = self.step(model, optimizer, inputs, labels)
                if log is not None:
                    log.step(loss, outputs, labels[-len(outputs) :], model, optimizer)
            if log is not None:
                log.epoch(model)
            yield

    def update(self, model: Any, criterion: Any, optimizer: Any, batch: Any) -> Any:
        """Take one step of that loop where others have the loop; return the loss."""
        return self.step(model, optimizer, *batch)[0]


def _micro_batches(model: Any, optimizer: Any, inputs: Any, labels: Any) -> tuple[Any, Any]:
    optimizer.zero_grad()
    for some, answers in zip(inputs.split(16), labels.split(16), strict=True):
        outputs = model(some)
        loss: Any = nn.functional.cross_entropy(outputs, answers) / 4
        loss.backward()
    optimizer.step()
    return loss, outputs


def _stepped(loss: Any, optimizer: Any) -> Any:
    optimizer.zero_grad()
    loss.backward()
    optimizer.step()
    return loss


def _two_criteria(model: Any, optimizer: Any, inputs: Any, labels: Any) -> tuple[Any, Any]:
    outputs = model(inputs)
    loss = nn.functional.cross_entropy(outputs, labels)
    loss = loss + 0.1 * nn.functional.mse_loss(outputs, inputs[:, :10])
    return _stepped(loss, optimizer), outputs


def _penalty(model: Any, optimizer: Any, inputs: Any, labels: Any) -> tuple[Any, Any]:
    outputs = model(inputs)
    loss = nn.functional.cross_entropy(outputs, labels)
    loss = loss + 1e-4 * sum(p.pow(2).sum() for p in model.parameters())
    return _stepped(loss, optimizer), outputs


def _sum(model: Any, optimizer: Any, inputs: Any, labels: Any) -> tuple[Any, Any]:
    outputs = model(inputs)
    loss = nn.functional.mse_loss(outputs, inputs[:, :10], reduction="sum") / len(inputs)
    return _stepped(loss, optimizer), outputs


def _written_out(model: Any, optimizer: Any, inputs: Any, labels: Any) -> tuple[Any, Any]:
    outputs = model(inputs)
    loss = (outputs - inputs[:, :10]).pow(2).mean()
    return _stepped(loss, optimizer), outputs


@functools.cache
def _scaler_of(_optimizer: Any) -> Any:
    return torch.amp.GradScaler("cpu")


def _scaled(model: Any, optimizer: Any, inputs: Any, labels: Any) -> tuple[Any, Any]:
    outputs = model(inputs)
    loss = nn.functional.cross_entropy(outputs, labels)
    scaler = _scaler_of(optimizer)
    optimizer.zero_grad()
    scaler.scale(loss).backward()
    scaler.step(optimizer)
    scaler.update()
    return loss, outputs


def _regression(steps: int = 1000) -> Any:
    x = torch.randn(100, 1)
    model = nn.Linear(1, 1)
    # The whole batch each step, in a list: a DataLoader would cost more than the step.
    data = [(x, 3 * x + 2)] * steps
    return model, nn.MSELoss(), torch.optim.SGD(model.parameters(), lr=0.01), data


def _classifier(model: nn.Module, batches: int, size: int, *shape: int) -> Any:
    data = TensorDataset(torch.rand(batches * size, *shape), torch.randint(10, (batches * size,)))
    loader = DataLoader(data, batch_size=size, shuffle=True)
    return model, nn.CrossEntropyLoss(), torch.optim.Adam(model.parameters(), lr=1e-3), loader


def _in_a_list() -> Any:
    """The MLP's batches without a loader, which would cost as much as the step."""
    batches = [(torch.rand(64, 784), torch.randint(10, (64,))) for _ in range(100)]
    model = mlp()
    return model, None, torch.optim.Adam(model.parameters(), lr=1e-3), batches


def _language() -> Any:
    model = Transformer()
    tokens = torch.randint(64, (320, 65))
    loader = DataLoader(TensorDataset(tokens[:, :-1], tokens[:, 1:]), batch_size=16)
    return model, nn.CrossEntropyLoss(), torch.optim.AdamW(model.parameters(), lr=3e-4), loader


WORKLOADS = {
    "W0": Workload("linear regression, each step an epoch", 1000, lambda: _regression(1)),
    "W5": Workload("linear regression", 1000, _regression),
    "W1": Workload("MLP of the tutorial", 100, lambda: _classifier(mlp(), 100, 64, 784)),
    "W2": Workload("LeNet", 20, lambda: _classifier(lenet(), 40, 64, 1, 28, 28)),
    "W3": Workload("ResNet, half width", 6, lambda: _classifier(half_resnet(), 24, 32, 3, 32, 32)),
    "W4": Workload("GPT of four layers", 4, _language),
    "K1": Kind("MLP, four micro-batches a step", 100, _in_a_list, _micro_batches),
    "K2": Kind("MLP, two criteria", 100, _in_a_list, _two_criteria),
    "K3": Kind("MLP, a criterion and a penalty", 100, _in_a_list, _penalty),
    "K4": Kind("MLP, a sum divided by the batch", 100, _in_a_list, _sum),
    "K5": Kind("MLP, a loss written out", 100, _in_a_list, _written_out),
    "K6": Kind("MLP, a gradient scaler", 100, _in_a_list, _scaled),
}
