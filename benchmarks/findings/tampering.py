"""The ways in which runs are broken: data, weights, schedules, and lines left out of the loop."""

from __future__ import annotations

import time
from collections.abc import Callable, Iterable
from copy import deepcopy
from dataclasses import replace
from typing import TYPE_CHECKING, Any

import torch
from torch import Tensor, nn
from torch.optim import Optimizer, lr_scheduler

from benchmarks.findings.models import mlp
from benchmarks.findings.recipe import Recipe

if TYPE_CHECKING:
    from benchmarks.findings.tasks import Task

Change = Callable[[Recipe], Recipe]


def fields(**changes: Any) -> Change:
    """Other settings."""
    return lambda recipe: replace(recipe, **changes)


def rate(factor: float, **changes: Any) -> Change:
    """The learning rate times `factor`."""
    return lambda recipe: replace(recipe, lr=recipe.lr * factor, **changes)


def few(samples: int, epochs: int, **changes: Any) -> Change:
    """Few samples, seen often."""
    return lambda recipe: replace(
        recipe, task_change=lambda task: task.smaller(samples), epochs=epochs, **changes
    )


def at(step: int, value: float) -> Change:
    """One number of one batch becomes `value`."""

    def batch(now: int, x: Tensor, y: Tensor) -> tuple[Tensor, Tensor]:
        if now == step:
            x = x.clone()
            x.view(-1)[3] = value
        return x, y

    return fields(train_batch=batch)


def corrupted(every: int, factor: float) -> Change:
    """Now and then a batch whose inputs are `factor` times too large."""

    def batch(now: int, x: Tensor, y: Tensor) -> tuple[Tensor, Tensor]:
        return (x * factor, y) if now % every == every - 1 else (x, y)

    return fields(train_batch=batch)


def wrong_labels(every: int) -> Change:
    """Now and then a batch whose labels belong to other samples."""

    def batch(now: int, x: Tensor, y: Tensor) -> tuple[Tensor, Tensor]:
        return (x, y.roll(1, 0)) if now % every == every - 1 else (x, y)

    return fields(train_batch=batch)


def shuffled(task: Task) -> Task:
    """Labels that belong to other samples."""
    x, y = task.train
    return replace(task, train=(x, y[torch.randperm(len(y))]))


def shuffled_share(share: float, task: Task) -> Task:
    """A share of the labels belongs to other samples."""
    x, y = task.train
    y = y.clone()
    wrong = torch.rand(len(y)) < share
    y[wrong] = y[wrong][torch.randperm(int(wrong.sum()))]
    return replace(task, train=(x, y))


def labels_anew(step: int, x: Tensor, y: Tensor) -> tuple[Tensor, Tensor]:
    """Labels drawn by lot for each batch."""
    return x, y[torch.randperm(len(y))]


def no_inputs(step: int, x: Tensor, y: Tensor) -> tuple[Tensor, Tensor]:
    """Inputs that are all zero."""
    return torch.zeros_like(x), y


def initial(gain: float, model: nn.Module) -> None:
    """Weights `gain` times as large as they should be."""
    with torch.no_grad():
        for parameter in model.parameters():
            if parameter.dim() > 1:
                parameter.mul_(gain)


def dead(bias: float, share: float, model: nn.Module) -> None:
    """Push a share of the hidden units so low that they never fire."""
    *hidden, _ = [m for m in model.modules() if isinstance(m, (nn.Linear, nn.Conv2d))]
    for layer in hidden:
        assert layer.bias is not None
        with torch.no_grad():
            layer.bias[: int(share * len(layer.bias))] = bias


def freeze(count: int, model: nn.Module) -> None:
    """Freeze the first `count` layers, which the optimizer holds all the same."""
    layers = [m for m in model.modules() if list(m.parameters(recurse=False))]
    for layer in layers[:count]:
        for parameter in layer.parameters(recurse=False):
            parameter.requires_grad_(False)  # noqa: FBT003 - its only argument


def of_a_copy(model: nn.Module) -> Iterable[nn.Parameter]:
    """Give parameters of another model."""
    return deepcopy(model).parameters()


def last_only(count: int, model: nn.Module) -> Iterable[nn.Parameter]:
    """Give the last `count` parameters only."""
    return list(model.parameters())[-count:]


def without_first(count: int, model: nn.Module) -> Iterable[nn.Parameter]:
    """Give all but the first `count` parameters."""
    return list(model.parameters())[count:]


def never(step: int, optimizer: Optimizer) -> None:
    """Forget `zero_grad`."""


def once_in(steps: int, step: int, optimizer: Optimizer) -> None:
    """Zero the gradients only now and then."""
    if step % steps == 0:
        optimizer.zero_grad()


def too_late(step: int, model: nn.Module, optimizer: Optimizer) -> None:
    """Zero the gradients between backward and step."""
    optimizer.zero_grad(set_to_none=False)


def too_late_to_none(step: int, model: nn.Module, optimizer: Optimizer) -> None:
    """The same as it is by default: gradients are gone, and no parameter is stepped at all."""
    optimizer.zero_grad()


def ends_at(share: float, optimizer: Optimizer, steps: int) -> lr_scheduler.LRScheduler:
    """Down to zero after a share of the run."""
    last = max(1, int(share * steps))
    return lr_scheduler.LambdaLR(optimizer, lambda step: max(0.0, 1 - step / last))


def drops_at(share: float, factor: float, optimizer: Optimizer, steps: int) -> Any:
    """Down to `factor` at once, after a share of the run."""
    last = max(1, int(share * steps))
    return lr_scheduler.LambdaLR(optimizer, lambda step: 1.0 if step < last else factor)


def grows(factor: float, optimizer: Optimizer, steps: int) -> lr_scheduler.LRScheduler:
    """Up to `factor` times at the end."""
    return lr_scheduler.ExponentialLR(optimizer, factor ** (1 / steps))


def jumps(every: int, factor: float, optimizer: Optimizer, steps: int) -> Any:
    """Now and then one step at `factor` times the rate."""
    return lr_scheduler.LambdaLR(
        optimizer, lambda step: factor if step % every == every - 1 else 1.0
    )


def starts_at(share: float, optimizer: Optimizer, steps: int) -> lr_scheduler.LRScheduler:
    """Nearly nothing at first, then the full rate."""
    first = int(share * steps)
    return lr_scheduler.LambdaLR(optimizer, lambda step: 1e-6 if step < first else 1.0)


def per_step_for_per_epoch(optimizer: Optimizer, steps: int) -> lr_scheduler.LRScheduler:
    """A tenth every ten epochs, said to a scheduler that is called each step."""
    return lr_scheduler.StepLR(optimizer, 10)


def ascend(step: int, loss: Tensor) -> Tensor:
    """Minimise the wrong sign."""
    return -loss


def severed(step: int, loss: Tensor) -> Tensor:
    """Make a new tensor of the loss: nothing leads back to the weights."""
    return torch.tensor(float(loss.detach()), requires_grad=True)


def root(step: int, loss: Tensor) -> Tensor:
    """Add a root whose gradient at zero is infinite times zero."""
    return loss + (loss.detach() * 0 + (loss - loss)).abs().sqrt() if step > 60 else loss


def logarithm(step: int, loss: Tensor) -> Tensor:
    """Take the logarithm of something that gets to zero."""
    return loss + 0.01 * torch.log(torch.relu(loss.detach() - 0.5) + 0 * loss)


def slow(seconds: float) -> Callable[[], None]:
    """Fetching a sample takes `seconds`."""
    return lambda: time.sleep(seconds)


def untrained(model: nn.Module) -> nn.Module:
    """Evaluate another, fresh model."""
    other = deepcopy(model)
    for module in other.modules():
        reset: Any = getattr(module, "reset_parameters", None)
        if reset is not None:
            reset()
    return other


def constant(model: nn.Module) -> nn.Module:
    """Evaluate the model as it was at first."""
    if "first_copy" not in vars(model):
        object.__setattr__(model, "first_copy", deepcopy(model))
    kept: nn.Module = vars(model)["first_copy"]
    return kept


def louder(factor: float, x: Tensor, y: Tensor) -> tuple[Tensor, Tensor]:
    """Forget to normalise what is evaluated."""
    return x * factor, y


def others(x: Tensor, y: Tensor) -> tuple[Tensor, Tensor]:
    """Evaluate against labels of other samples."""
    return x, y.roll(1, 0)


def stuck_statistics(model: nn.Module) -> None:
    """Batch normalisation whose running statistics hardly move."""
    for module in model.modules():
        if isinstance(module, (nn.BatchNorm1d, nn.BatchNorm2d)):
            module.momentum = 1e-4


def rarely(keep: int, task: Task) -> Task:
    """Leave `keep` samples of every class but the first."""
    x, y = task.train
    chosen = torch.cat([torch.where(y == c)[0][: keep if c else None] for c in y.unique()])
    chosen = chosen[torch.randperm(len(chosen))]
    return replace(task, train=(x[chosen], y[chosen]))


def only_one(offset: float, model: nn.Module) -> None:
    """A last layer that always answers the first class and hardly learns otherwise."""
    *_, last = [m for m in model.modules() if isinstance(m, nn.Linear)]
    with torch.no_grad():
        last.weight *= 0
        last.bias[0] += offset


def deep(depth: int, activation: Callable[[], nn.Module], **changes: Any) -> Change:
    """A stack of `depth` narrow layers."""
    return fields(model=mlp(*[24] * depth, activation=activation), **changes)
