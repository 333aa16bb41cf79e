"""Faulty twins: each fault at several strengths, on two healthy recipes that have little in common.

The first recipe is open: rules may be calibrated on it. The second is held out.
"""

from __future__ import annotations

import time
from collections.abc import Callable, Iterable
from copy import deepcopy
from dataclasses import dataclass, replace
from functools import partial
from typing import Any, Literal

import torch
from torch import Tensor, nn
from torch.optim import Optimizer, lr_scheduler

from benchmarks.findings import tasks
from benchmarks.findings.healthy import HEALTHY
from benchmarks.findings.models import linear, mlp
from benchmarks.findings.recipe import Recipe
from benchmarks.findings.tasks import Task

Strength = Literal["weak", "medium", "strong"]
Change = Callable[[Recipe], Recipe]
RECIPES = {recipe.name: recipe for recipe in HEALTHY}


@dataclass(frozen=True)
class Fault:
    """A change that breaks a recipe; `rules` names those that are right to find it."""

    name: str
    rules: tuple[str, ...]
    strength: Strength
    change: Change
    bases: tuple[str, str]

    def twin(self, number: int) -> Recipe:
        """The broken recipe: of the open base (0) or of the held-out one (1)."""
        base = RECIPES[self.bases[number]]
        return replace(self.change(base), name=f"{self.name}@{base.name}", seeds=(number,))


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
                parameter *= gain


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
            parameter.requires_grad_(requires_grad=False)


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


def root(step: int, loss: Tensor) -> Tensor:
    """Add a root whose gradient at zero is infinite times zero."""
    return loss + (loss.detach() * 0 + (loss - loss)).abs().sqrt() if step > 60 else loss  # noqa: PLR2004 - some steps go well


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
        if isinstance(reset := getattr(module, "reset_parameters", None), Callable):  # type: ignore[arg-type]
            reset()
    return other


def constant(model: nn.Module) -> nn.Module:
    """Evaluate the model as it was at first."""
    if not hasattr(constant, "kept") or constant.kept[0] is not type(model):
        constant.kept = (type(model), deepcopy(model))  # type: ignore[attr-defined]
    kept: nn.Module = constant.kept[1]  # type: ignore[attr-defined]
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


A, B = "digits-mlp-adam", "tabular-mlp"
NONFINITE = ("nonfinite",)
DIVERGENCE = ("divergence", "nonfinite")
MISMATCH = ("evaluation-mismatch",)
SKIPPED = ("skipped-steps",)

FAULTS = (
    # -- numbers that are none --------------------------------------------------------------------
    Fault("nan-input-early", NONFINITE, "strong", at(20, float("nan")), (A, "friedman-mlp")),
    Fault("nan-input-late", NONFINITE, "strong", at(200, float("nan")), (A, "cancer-linear-full")),
    Fault("inf-input", NONFINITE, "strong", at(60, float("inf")), (B, "mnist-mlp")),
    Fault("huge-input", NONFINITE, "medium", at(60, 3e38), (A, "line-batches")),
    Fault("root-of-zero", NONFINITE, "strong", fields(objective=root), (A, "moons-mlp")),
    Fault("log-of-zero", NONFINITE, "strong", fields(objective=logarithm), (A, "rows-gru")),
    Fault("rate-1e30", NONFINITE, "strong", fields(lr=1e30), ("friedman-steps", "digits-mlp-sgd")),
    # -- a loss that runs away --------------------------------------------------------------------
    Fault("rate-x1000-regression", DIVERGENCE, "strong", rate(1000),
          ("friedman-steps", "diabetes-linear")),
    Fault("rate-x100-regression", DIVERGENCE, "medium", rate(100),
          ("friedman-steps", "line-full")),
    Fault("rate-x30-line", DIVERGENCE, "medium", rate(30), ("line-full", "line-batches")),
    Fault("wrong-sign", DIVERGENCE, "strong", fields(objective=ascend), (A, "friedman-mlp")),
    Fault("wrong-sign-classes", DIVERGENCE, "strong", fields(objective=ascend),
          ("images-cnn", "moons-mlp")),
    Fault("rate-grows", DIVERGENCE, "medium", fields(schedule=partial(grows, 3000.0)),
          ("friedman-steps", "friedman-mlp")),
    Fault("rate-grows-far", DIVERGENCE, "strong", fields(schedule=partial(grows, 1e6)),
          ("digits-mlp-momentum", "friedman-huber")),
    Fault("momentum-beyond", DIVERGENCE, "strong",
          rate(10, optimizer="sgd", options={"momentum": 0.999}),
          ("line-full", "friedman-steps")),
    # -- spikes -----------------------------------------------------------------------------------
    Fault("spikes-x3", ("loss-spikes",), "weak", corrupted(60, 3.0), (A, "friedman-mlp")),
    Fault("spikes-x20", ("loss-spikes",), "strong", corrupted(60, 20.0), (A, "friedman-mlp")),
    Fault("spikes-x200", ("loss-spikes",), "strong", corrupted(90, 200.0), (A, "mnist-mlp-dropout")),
    Fault("spikes-wrong-labels", ("loss-spikes",), "medium", wrong_labels(70), (A, "rows-gru")),
    Fault("spikes-wrong-labels-late", ("loss-spikes",), "strong", wrong_labels(120),
          ("digits-steps-down", "images-resnet")),
    Fault("spikes-of-rate", ("loss-spikes",), "strong", fields(schedule=partial(jumps, 80, 100.0)),
          (A, "chain-gru")),
    # -- up and down ------------------------------------------------------------------------------
    Fault("oscillation-momentum", ("oscillation",), "medium",
          fields(optimizer="sgd", lr=0.05, options={"momentum": 0.98}),
          ("line-full", "cancer-linear-full")),
    Fault("oscillation-edge", ("oscillation",), "strong", fields(lr=0.82, every=1000),
          ("line-full", "line-full")),
    Fault("oscillation-adam", ("oscillation",), "medium", rate(100), ("moons-full", "moons-mlp")),
    Fault("oscillation-rate", ("oscillation", "divergence"), "strong", rate(200),
          (A, "images-cnn")),
    Fault("oscillation-sgd", ("oscillation", "divergence"), "strong", rate(60),
          ("digits-mlp-sgd", "tabular-decay")),
    # -- nothing learned --------------------------------------------------------------------------
    Fault("labels-by-lot", ("not-learning",), "strong", fields(train_batch=labels_anew), (A, B)),
    Fault("labels-by-lot-images", ("not-learning",), "strong", fields(train_batch=labels_anew),
          ("images-cnn", "rows-gru")),
    Fault("inputs-zero", ("not-learning",), "strong", fields(train_batch=no_inputs),
          (A, "friedman-mlp")),
    Fault("labels-half-wrong", ("not-learning", "underfitting"), "weak",
          fields(task_change=partial(shuffled_share, 0.5)), (A, B)),
    Fault("rate-1e-9", ("not-learning", "learning-rate"), "strong", fields(lr=1e-9),
          (A, "images-cnn")),
    Fault("rate-1e-6", ("not-learning", "update-ratio"), "strong", fields(lr=1e-6),
          ("digits-mlp-sgd", "friedman-mlp")),
    Fault("linear-on-rings", ("not-learning", "underfitting"), "strong", fields(model=linear),
          ("rings-mlp", "rings-mlp")),
    # -- underfitting -----------------------------------------------------------------------------
    Fault("linear-on-tabular", ("underfitting",), "medium", fields(model=linear, epochs=20),
          (B, "friedman-mlp")),
    Fault("width-1", ("underfitting",), "strong", fields(model=mlp(1), epochs=20, lr=5e-3),
          (A, B)),
    Fault("width-2", ("underfitting",), "medium", fields(model=mlp(2), epochs=20, lr=5e-3),
          (A, "mnist-mlp")),
    Fault("dropout-0.95", ("underfitting", "evaluation-mismatch"), "strong",
          fields(model=mlp(32, dropout=0.95), epochs=15), (A, B)),
    Fault("decay-1", ("underfitting", "not-learning"), "strong",
          fields(optimizer="sgd", lr=0.1, options={"weight_decay": 0.3}, epochs=15), (A, B)),
    Fault("too-short", ("underfitting",), "weak", fields(epochs=2), (A, "chain-transformer")),
    Fault("rate-too-small", ("underfitting", "update-ratio", "not-learning"), "strong", rate(0.02),
          (A, "images-cnn")),
    # -- overfitting ------------------------------------------------------------------------------
    Fault("few-60", ("overfitting",), "strong",
          few(60, 150, model=mlp(128, 128), lr=3e-3, batch=20), ("noisy-mlp", B)),
    Fault("few-100", ("overfitting",), "strong", few(100, 100, model=mlp(64, 64), batch=20, lr=3e-3),
          (B, "diabetes-mlp")),
    Fault("few-200", ("overfitting",), "strong", few(200, 80, model=mlp(96), lr=5e-3),
          ("noisy-mlp", "labels-mlp")),
    Fault("few-digits", ("overfitting",), "medium", few(80, 150, lr=3e-3), (A, "mnist-mlp")),
    Fault("learned-by-heart", ("overfitting",), "strong",
          fields(task_change=partial(shuffled_share, 0.5), model=mlp(256), lr=5e-3, epochs=30),
          (A, B)),
    Fault("all-by-heart", ("overfitting",), "strong",
          fields(task_change=lambda task: shuffled(task.smaller(400)), model=mlp(256), lr=5e-3,
                 epochs=60), (A, "mnist-mlp")),
    Fault("large-and-long", ("overfitting",), "medium",
          fields(model=mlp(256, 256), epochs=30, lr=3e-3), ("noisy-mlp", "labels-mlp")),
    # -- evaluation is not what it seems ----------------------------------------------------------
    Fault("no-eval-dropout", MISMATCH, "weak", fields(model=mlp(64, dropout=0.3), eval_mode=False),
          (A, "mnist-mlp")),
    Fault("no-eval-much-dropout", MISMATCH, "medium",
          fields(model=mlp(64, 64, dropout=0.7), eval_mode=False), (A, B)),
    Fault("no-train", MISMATCH, "medium", fields(train_mode=False, model=mlp(64, dropout=0.5)),
          (A, B)),
    Fault("evaluates-untrained", MISMATCH, "strong", fields(evaluated=untrained), (A, B)),
    Fault("evaluates-first-copy", MISMATCH, "strong", fields(evaluated=constant),
          ("digits-mlp-sgd", "images-cnn")),
    Fault("other-labels", MISMATCH, "strong", fields(val_batch=others), (A, "moons-mlp")),
    Fault("not-normalised", MISMATCH, "strong", fields(val_batch=partial(louder, 50.0)),
          (A, "mnist-cnn")),
    Fault("not-normalised-x5", MISMATCH, "medium", fields(val_batch=partial(louder, 5.0)),
          (B, "friedman-mlp")),
    Fault("statistics-stuck", MISMATCH, "strong", fields(prepare=stuck_statistics),
          ("images-resnet", "digits-batchnorm")),
    # -- gradients by depth -----------------------------------------------------------------------
    Fault("sigmoid-6", ("vanishing-gradients",), "medium", deep(6, nn.Sigmoid), (A, B)),
    Fault("sigmoid-10", ("vanishing-gradients",), "strong", deep(10, nn.Sigmoid), (A, B)),
    Fault("sigmoid-16", ("vanishing-gradients",), "strong", deep(16, nn.Sigmoid),
          ("digits-mlp-sgd", "mnist-mlp")),
    Fault("tanh-small", ("vanishing-gradients",), "strong",
          deep(8, nn.Tanh, prepare=partial(initial, 0.3)), (A, B)),
    Fault("tanh-20", ("vanishing-gradients",), "medium", deep(20, nn.Tanh), (A, "friedman-mlp")),
    Fault("relu-20", ("vanishing-gradients",), "strong", deep(20, nn.ReLU), (A, B)),
    Fault("init-x3-deep", ("exploding-gradients",), "medium",
          deep(6, nn.ReLU, prepare=partial(initial, 4.0)), ("digits-mlp-sgd", "mnist-mlp")),
    Fault("init-x10-deep", ("exploding-gradients", "nonfinite"), "strong",
          deep(5, nn.ReLU, prepare=partial(initial, 12.0)), (A, "tabular-decay")),
    Fault("init-x10-regression", ("exploding-gradients", "nonfinite"), "strong",
          deep(5, nn.ReLU, prepare=partial(initial, 12.0)), ("friedman-mlp", "friedman-huber")),
    Fault("init-x30", ("exploding-gradients", "nonfinite"), "strong",
          deep(6, nn.ReLU, prepare=partial(initial, 30.0)), (A, "mnist-mlp")),
    Fault("init-recurrent", ("exploding-gradients", "nonfinite"), "strong",
          fields(prepare=partial(initial, 8.0), clip=None), ("waves-gru", "rows-lstm")),
    # -- parameters that do not move --------------------------------------------------------------
    Fault("frozen-first", ("frozen-parameters",), "strong",
          fields(prepare=partial(freeze, 1)), (A, "images-cnn")),
    Fault("frozen-two", ("frozen-parameters",), "strong", fields(prepare=partial(freeze, 2)),
          (B, "friedman-mlp")),
    Fault("frozen-embedding", ("frozen-parameters",), "strong", fields(prepare=partial(freeze, 1)),
          ("letters-transformer", "majority-transformer")),
    Fault("forgotten-first", ("frozen-parameters", "optimizer-mismatch"), "strong",
          fields(held=partial(without_first, 2)), (A, "images-cnn")),
    Fault("forgotten-bias", ("frozen-parameters", "optimizer-mismatch"), "weak",
          fields(held=lambda model: [p for p in model.parameters() if p.dim() > 1]),
          (A, "mnist-cnn")),
    Fault("dead-all", ("dead-relu", "not-learning"), "strong", fields(prepare=partial(dead, -30.0, 1.0)),
          (A, B)),
    Fault("dead-most", ("dead-relu",), "strong", fields(prepare=partial(dead, -30.0, 0.8)), (A, B)),
    Fault("dead-half", ("dead-relu",), "strong", fields(prepare=partial(dead, -30.0, 0.5)),
          ("digits-mlp-sgd", "images-cnn")),
    Fault("dead-quarter", ("dead-relu",), "medium", fields(prepare=partial(dead, -30.0, 0.25)),
          (A, B)),
    Fault("dead-tenth", ("dead-relu",), "weak", fields(prepare=partial(dead, -30.0, 0.1)),
          (A, "mnist-mlp")),
    Fault("dead-by-rate", ("dead-relu", "not-learning"), "medium", rate(300), (A, "images-cnn")),
    # -- updates ----------------------------------------------------------------------------------
    Fault("updates-1e-7", ("update-ratio", "not-learning"), "strong", fields(lr=1e-7), (A, B)),
    Fault("updates-1e-5", ("update-ratio", "not-learning", "underfitting"), "medium",
          fields(lr=1e-5), (A, "mnist-mlp")),
    Fault("updates-sgd-1e-5", ("update-ratio", "not-learning"), "strong",
          fields(optimizer="sgd", lr=1e-5), ("digits-mlp-sgd", "chain-gru")),
    Fault("updates-large", ("update-ratio",), "strong", rate(300), ("digits-mlp-rmsprop", B)),
    Fault("updates-large-100", ("update-ratio",), "medium", rate(100), (A, "friedman-mlp")),
    Fault("updates-huge", ("update-ratio", "nonfinite", "divergence"), "strong", rate(3000),
          (A, "images-cnn")),
    # -- clipping ---------------------------------------------------------------------------------
    Fault("clip-1e-4", ("clipping",), "strong", fields(clip=1e-4),
          ("digits-mlp-sgd", "images-resnet")),
    Fault("clip-1e-3", ("clipping",), "strong", fields(clip=1e-3), (A, "chain-gru")),
    Fault("clip-0.01", ("clipping",), "strong", fields(clip=0.01),
          ("digits-mlp-momentum", "friedman-mlp")),
    Fault("clip-0.1", ("clipping",), "medium", fields(clip=0.1), ("digits-mlp-sgd", "rows-gru")),
    Fault("clip-0.5", ("clipping",), "weak", fields(clip=0.5), (A, "mnist-cnn")),
    # -- the rate over time -----------------------------------------------------------------------
    Fault("rate-0", ("learning-rate", "not-learning"), "strong", fields(lr=0.0), (A, B)),
    Fault("ends-at-10", ("learning-rate",), "strong", fields(schedule=partial(ends_at, 0.1)),
          (A, "images-cnn")),
    Fault("ends-at-25", ("learning-rate",), "strong", fields(schedule=partial(ends_at, 0.25)),
          ("digits-mlp-sgd", "friedman-steps")),
    Fault("ends-at-50", ("learning-rate",), "medium", fields(schedule=partial(ends_at, 0.5)),
          (A, "chain-gru")),
    Fault("ends-at-80", ("learning-rate",), "weak", fields(schedule=partial(ends_at, 0.8)),
          (A, B)),
    Fault("step-for-epoch", ("learning-rate",), "strong", fields(schedule=per_step_for_per_epoch),
          ("digits-steps-down", "images-cnn")),
    # -- plateau ----------------------------------------------------------------------------------
    Fault("plateau-tenth", ("plateau", "learning-rate", "underfitting"), "medium",
          fields(schedule=partial(drops_at, 0.2, 0.01), epochs=15), ("digits-mlp-sgd", "chain-gru")),
    Fault("plateau-thousandth", ("plateau", "learning-rate"), "strong",
          fields(schedule=partial(drops_at, 0.15, 1e-4), epochs=15),
          ("digits-mlp-momentum", "friedman-mlp")),
    Fault("plateau-early", ("plateau", "learning-rate", "not-learning"), "strong",
          fields(schedule=partial(starts_at, 0.7), epochs=15), (A, "images-cnn")),
    Fault("plateau-narrow", ("plateau", "underfitting"), "strong",
          fields(model=mlp(2), lr=2e-2, epochs=40), (A, B)),
    Fault("plateau-linear", ("plateau", "underfitting"), "strong",
          fields(model=linear, epochs=60, lr=1e-2), (B, "friedman-mlp")),
    # -- gradients that pile up -------------------------------------------------------------------
    Fault("no-zero-grad", ("accumulated-gradients",), "strong", fields(clear=never),
          ("digits-mlp-sgd", "friedman-steps")),
    Fault("no-zero-grad-adam", ("accumulated-gradients",), "strong", fields(clear=never),
          (A, "images-cnn")),
    Fault("no-zero-grad-momentum", ("accumulated-gradients",), "strong", fields(clear=never),
          ("digits-mlp-momentum", "rows-lstm")),
    Fault("zero-grad-each-epoch", ("accumulated-gradients",), "strong",
          fields(clear=partial(once_in, 45)), (A, "moons-mlp")),
    Fault("zero-grad-each-tenth", ("accumulated-gradients",), "medium",
          fields(clear=partial(once_in, 10)), (A, "tabular-decay")),
    Fault("zero-grad-each-second", ("accumulated-gradients",), "weak",
          fields(clear=partial(once_in, 2)), (A, B)),
    Fault("zero-grad-too-late", ("frozen-parameters", "not-learning", "vanishing-gradients"),
          "strong", fields(before_step=too_late), (A, "friedman-mlp")),
    # -- an optimizer for something else ----------------------------------------------------------
    Fault("copied-model", ("optimizer-mismatch",), "strong", fields(held=of_a_copy), (A, "images-cnn")),
    Fault("copied-model-sgd", ("optimizer-mismatch",), "strong", fields(held=of_a_copy),
          ("digits-mlp-sgd", "friedman-mlp")),
    Fault("copied-model-steps", ("optimizer-mismatch",), "strong", fields(held=of_a_copy),
          ("digits-steps", "letters-transformer")),
    Fault("copied-model-slices", ("optimizer-mismatch",), "strong", fields(held=of_a_copy),
          ("tabular-adamw", "moons-full")),
    Fault("last-layer-only", ("optimizer-mismatch", "frozen-parameters"), "strong",
          fields(held=partial(last_only, 2)), (A, "images-cnn")),
    # -- steps that are none ----------------------------------------------------------------------
    Fault("scaler-never", SKIPPED, "strong",
          fields(scaler={"init_scale": 3e38, "backoff_factor": 0.9999}),
          ("digits-scaler", "mnist-cnn-scaler")),
    Fault("scaler-half", SKIPPED, "strong",
          fields(scaler={"init_scale": 3e38, "growth_interval": 1, "growth_factor": 2.0}),
          ("digits-scaler", "mnist-cnn-scaler")),
    Fault("scaler-long", SKIPPED, "strong",
          fields(scaler={"init_scale": 3e38, "backoff_factor": 0.95}),
          ("digits-scaler", "mnist-cnn-scaler")),
    Fault("scaler-third", SKIPPED, "medium",
          fields(scaler={"init_scale": 3e38, "growth_interval": 2, "growth_factor": 2.0}),
          ("digits-scaler", "mnist-cnn-scaler")),
    Fault("scaler-tenth", SKIPPED, "weak",
          fields(scaler={"init_scale": 3e38, "growth_interval": 9, "growth_factor": 2.0}),
          ("digits-scaler", "mnist-cnn-scaler")),
    # -- one answer to everything -----------------------------------------------------------------
    Fault("one-class-x1000", ("one-class",), "strong", rate(1000), (A, "mnist-cnn")),
    Fault("one-class-x300", ("one-class",), "medium", rate(300), ("images-cnn", "rows-lstm")),
    Fault("one-class-rare", ("one-class",), "strong",
          fields(task_change=partial(rarely, 2), epochs=25, optimizer="sgd", lr=0.01), (A, "mnist-mlp")),
    Fault("one-class-offset", ("one-class",), "strong",
          fields(prepare=partial(only_one, 50.0), lr=1e-4), (A, "mnist-cnn")),
    Fault("one-class-imbalanced", ("one-class",), "strong",
          fields(optimizer="sgd", lr=1e-3, epochs=6), ("imbalanced", "imbalanced")),
    Fault("one-class-dead", ("one-class",), "strong",
          fields(prepare=partial(dead, -30.0, 1.0)), ("digits-mlp-sgd", "images-cnn")),
    # -- waiting for data -------------------------------------------------------------------------
    Fault("slow-loader-30us", ("input-bound",), "weak", fields(fetch=slow(1e-5), epochs=8),
          (A, "friedman-mlp")),
    Fault("slow-loader-100us", ("input-bound",), "medium", fields(fetch=slow(1e-4), epochs=5),
          (A, "mnist-mlp")),
    Fault("slow-loader-300us", ("input-bound",), "strong", fields(fetch=slow(3e-4), epochs=3),
          (A, "friedman-mlp")),
    Fault("slow-loader-1ms", ("input-bound",), "strong", fields(fetch=slow(1e-3), epochs=2),
          (A, "images-cnn")),
    Fault("slow-loader-3ms", ("input-bound",), "strong", fields(fetch=slow(3e-3), epochs=1),
          ("wine-mlp", "cancer-mlp")),
)  # fmt: skip
