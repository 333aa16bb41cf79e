"""Healthy runs: what people train every day, nothing wrong with it."""

from __future__ import annotations

from dataclasses import replace
from functools import partial
from typing import TYPE_CHECKING, Any

import torch
from torch import Tensor, nn
from torch.optim import Optimizer, lr_scheduler

from benchmarks.findings import tasks
from benchmarks.findings.loops import (
    accumulating,
    by_epochs,
    by_steps,
    full_batch,
    in_slices,
    scaled,
    with_closure,
)
from benchmarks.findings.models import autoencoder, cnn, linear, mlp, recurrent, resnet, transformer
from benchmarks.findings.recipe import Recipe
from benchmarks.findings.special_loops import (
    VariationalAutoencoder,
    adversaries,
    averaged,
    by_hand,
    denoising,
    mixed_up,
    rewards,
    several_losses,
    temporal_differences,
    variational,
    when_it_stalls,
)

if TYPE_CHECKING:
    from benchmarks.findings.tasks import Task


def steps_down(optimizer: Optimizer, steps: int) -> lr_scheduler.LRScheduler:
    """A tenth, twice."""
    return lr_scheduler.MultiStepLR(optimizer, [steps // 2, steps * 4 // 5])


def cosine(optimizer: Optimizer, steps: int) -> lr_scheduler.LRScheduler:
    """Down to zero at the end."""
    return lr_scheduler.CosineAnnealingLR(optimizer, steps)


def warm_cosine(optimizer: Optimizer, steps: int) -> lr_scheduler.LRScheduler:
    """Up from a hundredth for a tenth of the run, then down to zero."""
    up = max(2, steps // 10)
    return lr_scheduler.SequentialLR(
        optimizer,
        [
            lr_scheduler.LinearLR(optimizer, 0.01, 1.0, up),
            lr_scheduler.CosineAnnealingLR(optimizer, steps - up),
        ],
        [up],
    )


def one_cycle(optimizer: Optimizer, steps: int) -> lr_scheduler.LRScheduler:
    """Up and far down."""
    return lr_scheduler.OneCycleLR(optimizer, optimizer.param_groups[0]["lr"], steps + 1)


def decay(optimizer: Optimizer, steps: int) -> lr_scheduler.LRScheduler:
    """A twentieth of it at the end."""
    return lr_scheduler.ExponentialLR(optimizer, 0.05 ** (1 / steps))


def linear_down(optimizer: Optimizer, steps: int) -> lr_scheduler.LRScheduler:
    """Straight to zero."""
    return lr_scheduler.LinearLR(optimizer, 1.0, 0.0, steps)


def restarts(optimizer: Optimizer, steps: int) -> lr_scheduler.LRScheduler:
    """Three times down to zero and up again."""
    return lr_scheduler.CosineAnnealingWarmRestarts(optimizer, max(1, -(-steps // 3)))


def jittered(step: int, x: Tensor, y: Tensor) -> tuple[Tensor, Tensor]:
    """Augmentation: shift images by up to two pixels, add noise."""
    down, right = torch.randint(-2, 3, (2,)).tolist()
    return torch.roll(x, (down, right), (-2, -1)) + 0.2 * torch.randn_like(x), y


def backbone_of_small_digits(model: nn.Module) -> None:
    """Train on half of the digits first, freeze all but the head, and start that anew."""
    task = tasks.digits(7)
    x, y = task.train
    low = y < 5
    optimizer = torch.optim.Adam(model.parameters(), lr=3e-3)
    for _ in range(60):
        optimizer.zero_grad()
        nn.functional.cross_entropy(model(x[low]), y[low]).backward()
        optimizer.step()
    optimizer.zero_grad(set_to_none=True)
    *body, head = model.children()
    for layer in body:
        layer.requires_grad_(False)  # noqa: FBT003 - its only argument
    assert isinstance(head, nn.Linear)
    head.reset_parameters()


def trainable(model: nn.Module) -> list[nn.Parameter]:
    """Give what is not frozen."""
    return [parameter for parameter in model.parameters() if parameter.requires_grad]


def two_groups(model: nn.Module) -> Any:
    """Give no weight decay to biases, as is usual."""
    named = dict(model.named_parameters())
    return [
        {"params": [p for n, p in named.items() if n.endswith("weight")], "weight_decay": 1e-2},
        {"params": [p for n, p in named.items() if not n.endswith("weight")], "weight_decay": 0.0},
    ]


def with_time(task: Task) -> nn.Module:
    """A network that is told the time beside its input."""
    width = task.shape[0]
    return nn.Sequential(nn.Linear(width + 1, 96), nn.SiLU(), nn.Linear(96, width))


def q_values(task: Task) -> nn.Module:
    """Two actions from one number."""
    return nn.Sequential(nn.Linear(1, 32), nn.ReLU(), nn.Linear(32, 2))


def smooth(task: Task) -> Task:
    """Label smoothing: the loss never comes near zero."""
    return replace(task, criterion=nn.CrossEntropyLoss(label_smoothing=0.1))


def robust(task: Task) -> Task:
    """The Huber loss."""
    return replace(task, criterion=nn.HuberLoss())


GELU_NORM: Any = partial(mlp, activation=nn.GELU, norm=nn.LayerNorm)

HEALTHY = (
    Recipe("digits-mlp-adam", tasks.digits, mlp(64), by_epochs),
    Recipe("digits-mlp-sgd", tasks.digits, mlp(64), by_epochs, "sgd", 0.1),
    Recipe(
        "digits-mlp-momentum", tasks.digits, mlp(64), by_epochs, "sgd", 0.05, {"momentum": 0.9}
    ),
    Recipe("digits-mlp-rmsprop", tasks.digits, mlp(48, 48), by_epochs, "rmsprop"),
    Recipe("digits-mlp-adagrad", tasks.digits, mlp(64), by_epochs, "adagrad", 0.02),
    Recipe("digits-mlp-nadam-one-cycle", tasks.digits, mlp(64), by_epochs, "nadam", 4e-3,
           schedule=one_cycle),
    Recipe("digits-dropout", tasks.digits, mlp(128, dropout=0.5), by_epochs, epochs=15),
    Recipe("digits-batchnorm", tasks.digits, mlp(64, 64, norm=nn.BatchNorm1d), by_epochs),
    Recipe("digits-deep-layernorm", tasks.digits, GELU_NORM(48, 48, 48, 48), by_epochs, "adamw"),
    Recipe("digits-three-epochs", tasks.digits, mlp(64), by_epochs, lr=3e-3, epochs=3),
    Recipe("digits-one-epoch", tasks.digits, mlp(64), by_epochs, lr=5e-3, epochs=1, batch=16),
    Recipe("digits-many-epochs", tasks.digits, mlp(32, dropout=0.2), in_slices, epochs=60,
           batch=64, options={"weight_decay": 1e-4}),
    Recipe("digits-no-evaluation", tasks.digits, mlp(64), by_epochs, evaluates=False),
    Recipe("digits-steps", tasks.digits, mlp(64), by_steps, epochs=10),
    Recipe("digits-steps-no-evaluation", tasks.digits, mlp(64), by_steps, epochs=10,
           evaluates=False),
    Recipe("digits-steps-warm-cosine", tasks.digits, mlp(96), by_steps, "adamw", 3e-3, epochs=12,
           schedule=warm_cosine, every=75),
    Recipe("digits-cosine", tasks.digits, mlp(64), by_epochs, "sgd", 0.2, epochs=10,
           schedule=cosine),
    Recipe("digits-steps-down", tasks.digits, mlp(64), by_epochs, "sgd", 0.1, {"momentum": 0.9},
           epochs=10, schedule=steps_down, schedule_by_epoch=True),
    Recipe("digits-restarts", tasks.digits, mlp(64), by_epochs, lr=3e-3, epochs=12,
           schedule=restarts),
    Recipe("digits-reduce-on-plateau", tasks.digits, mlp(64), when_it_stalls, lr=3e-3, epochs=25),
    Recipe("digits-batch-4", tasks.digits, mlp(48), in_slices, "sgd", 0.02, epochs=4, batch=4),
    Recipe("digits-batch-256", tasks.digits, mlp(64), by_epochs, lr=5e-3, epochs=20, batch=256),
    Recipe("digits-clipped", tasks.digits, mlp(64), by_epochs, clip=1.0),
    Recipe("digits-smoothing", tasks.digits, mlp(64), by_epochs, task_change=smooth, epochs=12),
    Recipe("digits-tanh", tasks.digits, mlp(48, 48, activation=nn.Tanh), by_epochs),
    Recipe("digits-sigmoid", tasks.digits, mlp(48, activation=nn.Sigmoid), by_epochs, lr=5e-3,
           epochs=12),
    Recipe("digits-scaler", tasks.digits, mlp(64), scaled),
    Recipe("digits-accumulation", tasks.digits, mlp(64), accumulating, lr=3e-3, batch=16),
    Recipe("digits-lbfgs", tasks.digits, mlp(32), with_closure, lr=0.5, epochs=15),
    Recipe("digits-two-losses", tasks.digits, mlp(64), several_losses),
    Recipe("digits-mixup", tasks.digits, mlp(96), mixed_up, epochs=12),
    Recipe("digits-average", tasks.digits, mlp(64), averaged),
    Recipe("digits-frozen-backbone", tasks.digits, mlp(64, 64), by_epochs, lr=3e-3,
           prepare=backbone_of_small_digits, held=trainable),
    Recipe("digits-frozen-backbone-all-held", tasks.digits, mlp(64, 64), by_epochs, lr=3e-3,
           prepare=backbone_of_small_digits),
    Recipe("digits-weight-groups", tasks.digits, mlp(64), by_epochs, "adamw", held=two_groups),
    Recipe("digits-linear", tasks.digits, linear, by_epochs, lr=5e-3, epochs=12),
    Recipe("digits-by-hand", tasks.digits, mlp(64), by_hand, lr=0.1),
    Recipe("imbalanced", tasks.imbalanced, mlp(64), by_epochs, lr=3e-3),
    Recipe("images-cnn", tasks.images, cnn(), by_epochs, lr=3e-3),
    Recipe("images-cnn-norm-cosine", tasks.images, cnn(norm=True), by_epochs, "sgd", 0.1,
           {"momentum": 0.9, "weight_decay": 5e-4}, schedule=cosine),
    Recipe("images-resnet", tasks.images, resnet(), by_epochs, "sgd", 0.05, {"momentum": 0.9},
           epochs=5),
    Recipe("images-resnet-one-cycle", tasks.images, resnet(3), by_epochs, lr=1e-2, epochs=5,
           batch=64, schedule=one_cycle),
    Recipe("images-augmented", tasks.images, cnn(12), by_epochs, lr=5e-3, epochs=10, batch=64,
           train_batch=jittered),
    Recipe("mnist-cnn", tasks.mnist, cnn(), by_epochs, lr=3e-3, epochs=3),
    Recipe("mnist-cnn-scaler", tasks.mnist, cnn(), scaled, lr=3e-3, epochs=2, batch=64),
    Recipe("mnist-mlp", tasks.mnist, mlp(128), by_epochs, lr=1e-3, epochs=4, batch=64),
    Recipe("mnist-mlp-dropout", tasks.mnist, mlp(128, 64, dropout=0.3), by_epochs, "sgd", 0.05,
           {"momentum": 0.9}, epochs=6, batch=64),
    Recipe("rows-lstm", tasks.rows, recurrent(nn.LSTM), by_epochs, lr=5e-3, clip=1.0, batch=64),
    Recipe("rows-gru", tasks.rows, recurrent(nn.GRU), by_epochs, lr=5e-3, batch=64),
    Recipe("waves-gru", tasks.waves, recurrent(nn.GRU, 24), by_epochs, lr=1e-2, epochs=6,
           batch=64, clip=1.0),
    Recipe("chain-gru", tasks.chain, recurrent(nn.GRU, 48, each=True), by_epochs, lr=5e-3,
           epochs=10, clip=0.25),
    Recipe("chain-transformer", tasks.chain, transformer(32, 1, each=True), by_epochs, "adamw",
           5e-3, epochs=10, clip=1.0, schedule=warm_cosine),
    Recipe("letters-lstm", tasks.letters, recurrent(nn.LSTM, 48, each=True), by_steps, lr=1e-2,
           epochs=10, clip=1.0, every=40),
    Recipe("letters-transformer", tasks.letters, transformer(32, 2, each=True), by_epochs,
           "adamw", 3e-3, epochs=8, clip=1.0),
    Recipe("majority-transformer", tasks.majority, transformer(), by_epochs, lr=3e-3, epochs=5,
           batch=64),
    Recipe("tabular-mlp", tasks.tabular, mlp(32, 32), by_epochs, lr=3e-3, epochs=10, batch=64),
    Recipe("tabular-adamw", tasks.tabular, mlp(32), in_slices, "adamw", 5e-3,
           {"weight_decay": 0.05}, epochs=20, batch=64, schedule=linear_down),
    Recipe("tabular-decay", tasks.tabular, mlp(48, norm=nn.BatchNorm1d), by_epochs, "sgd", 0.1,
           {"momentum": 0.9, "nesterov": True}, batch=64, schedule=decay),
    Recipe("noisy-mlp", tasks.noisy, mlp(8), by_epochs, lr=2e-3, epochs=6),
    Recipe("noisy-linear", tasks.noisy, linear, by_epochs, "sgd", 0.05, epochs=8),
    Recipe("cancer-mlp", tasks.cancer, mlp(16), by_epochs, lr=3e-3, epochs=10),
    Recipe("cancer-linear-full", tasks.cancer, linear, full_batch, "sgd", 0.5, epochs=300,
           every=10),
    Recipe("wine-mlp", tasks.wine, mlp(16), by_epochs, lr=5e-3, epochs=12, batch=16),
    Recipe("wine-dropout", tasks.wine, mlp(32, dropout=0.3), by_epochs, lr=5e-3, epochs=20,
           batch=16),
    Recipe("moons-mlp", tasks.moons, mlp(32, 32), by_epochs, lr=5e-3, epochs=10),
    Recipe("moons-full", tasks.moons, mlp(16, activation=nn.Tanh), full_batch, lr=0.02,
           epochs=300, every=10),
    Recipe("rings-mlp", tasks.rings, mlp(32), by_epochs, lr=1e-2, epochs=8),
    Recipe("labels-mlp", tasks.labels, mlp(32), by_epochs, lr=3e-3, epochs=8),
    Recipe("friedman-mlp", tasks.friedman, mlp(32, 32), by_epochs, lr=3e-3, epochs=10),
    Recipe("friedman-huber", tasks.friedman, mlp(64), by_epochs, lr=5e-3, epochs=10,
           task_change=robust),
    Recipe("friedman-unscaled", tasks.unscaled, mlp(64), by_epochs, lr=1e-2, epochs=12),
    Recipe("friedman-steps", tasks.friedman, mlp(32), by_steps, "sgd", 0.05, epochs=12,
           evaluates=False),
    Recipe("diabetes-mlp", tasks.diabetes, mlp(8), by_epochs, "adamw", 3e-3,
           {"weight_decay": 0.1}, epochs=12, batch=16),
    Recipe("diabetes-linear", tasks.diabetes, linear, by_epochs, "sgd", 0.01, epochs=15),
    Recipe("line-full", tasks.line, linear, full_batch, "sgd", 0.05, epochs=200, every=10),
    Recipe("line-batches", tasks.line, linear, by_epochs, "sgd", 0.02, epochs=12, batch=16),
    Recipe("autoencoder", tasks.reconstruction, autoencoder(32, 8), by_epochs, lr=3e-3,
           epochs=10),
    Recipe("variational", tasks.reconstruction, VariationalAutoencoder, variational, lr=2e-3,
           epochs=10),
    Recipe("adversaries-moons", tasks.moons, linear, adversaries, lr=1e-3, epochs=12, batch=64),
    Recipe("adversaries-digits", tasks.digits, linear, adversaries, lr=5e-4, epochs=12, batch=64),
    Recipe("rewards", tasks.digits, mlp(64), rewards, lr=3e-3, epochs=15),
    Recipe("temporal-differences", tasks.line, q_values, temporal_differences, lr=2e-3,
           epochs=15),
    Recipe("denoising", tasks.moons, with_time, denoising, lr=2e-3, epochs=20, batch=64),
)  # fmt: skip
