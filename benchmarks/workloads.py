"""The loops that everything is measured on, as people write them.

A loop goes on for ever and hands control back after every so many steps, so that contenders can
take turns in one process. `log` is what a person writes into the loop by hand; most loops get none.
"""

from __future__ import annotations

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
}
