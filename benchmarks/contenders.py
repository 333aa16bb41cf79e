"""Who takes part: the loop alone, autotrack, people's own lines, other trackers where installed.

A contender makes, of a workload and a directory, an iterator that trains one block each time.
"""

from __future__ import annotations

import importlib.util
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import torch
from torch.utils.tensorboard import SummaryWriter

from benchmarks.turns import InTurns
from benchmarks.workloads import Workload

Contender = Callable[[Workload, Path], Iterator[Any]]


def untracked(workload: Workload, _directory: Path) -> Iterator[Any]:
    """Train, and nothing else."""
    return workload.loop()


class Tutorial:
    """The tutorials' own lines: loss each step, accuracy each epoch."""

    def __init__(self, directory: Path) -> None:
        self.writer = SummaryWriter(directory)
        self.steps = self.correct = self.total = 0

    def step(self, loss: Any, outputs: Any, labels: Any, model: Any, optimizer: Any) -> None:
        """Log the loss."""
        self.writer.add_scalar("Loss/train", loss.item(), self.steps)
        self.steps += 1
        if not labels.is_floating_point():
            self.correct += int((outputs.argmax(1) == labels).sum())
            self.total += labels.numel()

    def epoch(self, model: Any) -> None:
        """Log the accuracy."""
        if self.total:
            self.writer.add_scalar("Accuracy/train", 100 * self.correct / self.total, self.steps)
            self.correct = self.total = 0


class Everything(Tutorial):
    """What autotrack records, by hand: also rate and gradient norm, and histograms each epoch."""

    def step(self, loss: Any, outputs: Any, labels: Any, model: Any, optimizer: Any) -> None:
        """Log the step."""
        squares = sum(p.grad.norm().item() ** 2 for p in model.parameters())
        self.writer.add_scalar("GradNorm/total", squares**0.5, self.steps)
        self.writer.add_scalar("LearningRate", optimizer.param_groups[0]["lr"], self.steps)
        super().step(loss, outputs, labels, model, optimizer)

    def epoch(self, model: Any) -> None:
        """Log the weights and gradients."""
        super().epoch(model)
        for name, parameter in model.named_parameters():
            self.writer.add_histogram(f"Weights/{name}", parameter, self.steps)
            self.writer.add_histogram(f"Gradients/{name}", parameter.grad, self.steps)


def tutorial(workload: Workload, directory: Path) -> Iterator[Any]:
    """By hand: two numbers."""
    return workload.loop(Tutorial(directory))


def everything(workload: Workload, directory: Path) -> Iterator[Any]:
    """By hand: what autotrack records."""
    return workload.loop(Everything(directory))


def tracked(workload: Workload, directory: Path, **options: Any) -> Iterator[Any]:
    """Autotrack."""
    return InTurns(workload.loop(), directory, **options)


def whole(workload: Workload, directory: Path) -> Iterator[Any]:
    """Autotrack: everything at every step."""
    return tracked(workload, directory, budget=None)


def settled(workload: Workload, directory: Path) -> Iterator[Any]:
    """Autotrack with its default budget, once that has settled."""
    return tracked(workload, directory, budget_after=0.0)


def wandb(workload: Workload, directory: Path) -> Iterator[Any]:
    """Weights & Biases, offline: loss each step, `watch` each 50."""
    import wandb as module

    directory.mkdir(parents=True)

    class Lines:
        def __init__(self) -> None:
            settings = module.Settings(silent=True, console="off")
            self.run = module.init(
                mode="offline", dir=str(directory), settings=settings, reinit="finish_previous"
            )
            self.watched = False

        def step(self, loss: Any, outputs: Any, labels: Any, model: Any, optimizer: Any) -> None:
            if not self.watched:
                self.run.watch(model, log="all", log_freq=50)
                self.watched = True
            self.run.log({"loss": loss.item(), "lr": optimizer.param_groups[0]["lr"]})

        def epoch(self, model: Any) -> None:
            pass

    return workload.loop(Lines())


def ignite(workload: Workload, directory: Path) -> Iterator[Any]:
    """pytorch-ignite's engine with its TensorBoard handlers: loss and rate each step."""
    from ignite.contrib.handlers import tensorboard_logger as handlers
    from ignite.engine import Engine, Events

    model, criterion, optimizer, loader = workload.make()

    def update(_engine: Any, batch: Any) -> float:
        model.train()
        return float(workload.update(model, criterion, optimizer, batch).item())

    trainer = Engine(update)
    logger = handlers.TensorboardLogger(log_dir=str(directory))
    output = handlers.OutputHandler("train", output_transform=lambda loss: {"loss": loss})
    logger.attach(trainer, log_handler=output, event_name=Events.ITERATION_COMPLETED)
    logger.attach(
        trainer,
        log_handler=handlers.OptimizerParamsHandler(optimizer),
        event_name=Events.ITERATION_STARTED,
    )
    logger.attach(
        trainer,
        log_handler=handlers.WeightsHistHandler(model),
        event_name=Events.ITERATION_COMPLETED(every=50),
    )
    blocks = 0
    while True:
        blocks += 1
        trainer.run(loader, max_epochs=blocks, epoch_length=workload.steps)
        yield None


CONTENDERS: dict[str, Contender] = {
    "untracked": untracked,
    "untracked again (control)": untracked,
    "autotrack, everything at every step": whole,
    "autotrack, default budget, settled": settled,
    "by hand: loss and accuracy": tutorial,
    "by hand: what autotrack records": everything,
    "wandb offline": wandb,
    "pytorch-ignite handlers": ignite,
}
PEERS = {"wandb offline": "wandb", "pytorch-ignite handlers": "ignite"}


def present() -> tuple[dict[str, Contender], list[str]]:
    """Return who can take part, and the names of those that are not installed."""
    absent = [name for name, module in PEERS.items() if importlib.util.find_spec(module) is None]
    return {n: c for n, c in CONTENDERS.items() if n not in absent}, absent


def prepare() -> None:
    """Settle what would otherwise move the times: one thread, no denormals."""
    torch.set_num_threads(1)
    # Without this Adam's vanishing moments of dead units slow the loop itself down after a while.
    torch.set_flush_denormal(True)
    torch.manual_seed(0)
