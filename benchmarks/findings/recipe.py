"""What makes a run: task, model, optimizer, loop, and the places where a fault can be put."""

from __future__ import annotations

from collections.abc import Callable, Iterable
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

import torch
from torch import Tensor, nn
from torch.optim import Optimizer, lr_scheduler

if TYPE_CHECKING:
    from benchmarks.findings.models import Builder
    from benchmarks.findings.tasks import Task

Schedule = Callable[[Optimizer, int], lr_scheduler.LRScheduler]
Batch = tuple[Tensor, Tensor]
OPTIMIZERS: dict[str, type[Optimizer]] = {
    "sgd": torch.optim.SGD,
    "adam": torch.optim.Adam,
    "adamw": torch.optim.AdamW,
    "rmsprop": torch.optim.RMSprop,
    "adagrad": torch.optim.Adagrad,
    "nadam": torch.optim.NAdam,
}


@dataclass(frozen=True)
class Recipe:
    """One training run, written down.

    `schedule` makes a scheduler from an optimizer and the number of its steps: steps of the
    optimizer, or epochs where `schedule_by_epoch`. The fields from `task_change` on are what faults
    replace; as they stand they do what a right loop does.
    """

    name: str
    task: Callable[[int], Task]
    model: Builder
    loop: Callable[[Recipe, Task, nn.Module], None]
    optimizer: str = "adam"
    lr: float = 1e-3
    options: dict[str, Any] = field(default_factory=dict)
    epochs: int = 8
    batch: int = 32
    schedule: Schedule | None = None
    schedule_by_epoch: bool = False
    clip: float | None = None
    evaluates: bool = True
    every: int = 100
    scaler: dict[str, Any] = field(default_factory=dict)
    seeds: tuple[int, ...] = (0, 1, 2, 3)

    task_change: Callable[[Task], Task] = lambda task: task
    prepare: Callable[[nn.Module], object] = lambda model: None
    held: Callable[[nn.Module], Iterable[nn.Parameter]] = lambda model: model.parameters()
    train_batch: Callable[[int, Tensor, Tensor], Batch] = lambda step, x, y: (x, y)
    val_batch: Callable[[Tensor, Tensor], Batch] = lambda x, y: (x, y)
    clear: Callable[[int, Optimizer], None] = lambda step, optimizer: optimizer.zero_grad()
    objective: Callable[[int, Tensor], Tensor] = lambda step, loss: loss
    before_step: Callable[[int, nn.Module, Optimizer], None] = lambda step, model, optimizer: None
    evaluated: Callable[[nn.Module], nn.Module] = lambda model: model
    fetch: Callable[[], None] = lambda: None
    train_mode: bool = True
    eval_mode: bool = True

    def make_optimizer(self, model: nn.Module) -> Optimizer:
        """Build the optimizer over the parameters that it is to hold."""
        kind: Any = OPTIMIZERS[self.optimizer]
        optimizer: Optimizer = kind(self.held(model), lr=self.lr, **self.options)
        return optimizer

    def make_schedule(self, optimizer: Optimizer, batches: int) -> lr_scheduler.LRScheduler | None:
        """Build the scheduler for all epochs of `batches` steps."""
        if self.schedule is None:
            return None
        return self.schedule(
            optimizer, self.epochs if self.schedule_by_epoch else self.epochs * batches
        )
