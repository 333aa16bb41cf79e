"""Plain training loops, as people write them."""

from __future__ import annotations

from typing import TYPE_CHECKING

import torch
from torch import Tensor, nn
from torch.utils.data import DataLoader, Dataset

from benchmarks.findings.recipe import Batch, Recipe

if TYPE_CHECKING:
    from collections.abc import Iterator

    from benchmarks.findings.tasks import Task


class Samples(Dataset[Batch]):
    """The samples of a task, with the time that fetching one takes."""

    def __init__(self, data: Batch, recipe: Recipe) -> None:
        self.x, self.y = data
        self.fetch = recipe.fetch

    def __len__(self) -> int:
        return len(self.x)

    def __getitem__(self, index: int) -> Batch:
        """One sample."""
        self.fetch()
        return self.x[index], self.y[index]


def loaders(recipe: Recipe, task: Task) -> tuple[DataLoader[Batch], DataLoader[Batch]]:
    """Make the loaders to train and to evaluate with."""
    train = DataLoader(Samples(task.train, recipe), recipe.batch, shuffle=True)
    return train, DataLoader(Samples(task.val, recipe), 128)


@torch.no_grad()
def evaluate(recipe: Recipe, task: Task, model: nn.Module, val_loader: DataLoader[Batch]) -> None:
    """Look at every validation batch once."""
    model = recipe.evaluated(model)
    if recipe.eval_mode:
        model.eval()
    for x, y in val_loader:
        inputs, targets = recipe.val_batch(x, y)
        task.criterion(model(inputs), targets)


def by_epochs(recipe: Recipe, task: Task, model: nn.Module) -> None:
    """Epochs over a loader, an evaluation after each."""
    train_loader, val_loader = loaders(recipe, task)
    optimizer = recipe.make_optimizer(model)
    scheduler = recipe.make_schedule(optimizer, len(train_loader))
    step = 0
    for _epoch in range(recipe.epochs):
        if recipe.train_mode:
            model.train()
        for x, y in train_loader:
            inputs, targets = recipe.train_batch(step, x, y)
            recipe.clear(step, optimizer)
            loss = recipe.objective(step, task.criterion(model(inputs), targets))
            loss.backward()
            recipe.before_step(step, model, optimizer)
            if recipe.clip is not None:
                nn.utils.clip_grad_norm_(model.parameters(), recipe.clip)
            optimizer.step()
            if scheduler is not None and not recipe.schedule_by_epoch:
                scheduler.step()
            step += 1
        if scheduler is not None and recipe.schedule_by_epoch:
            scheduler.step()
        if recipe.evaluates:
            evaluate(recipe, task, model, val_loader)


def endless(loader: DataLoader[Batch]) -> Iterator[Batch]:
    """Give its batches, again and again."""
    while True:
        yield from loader


def by_steps(recipe: Recipe, task: Task, model: nn.Module) -> None:
    """Batches without end, `every` so many steps an evaluation; no epochs."""
    train_loader, val_loader = loaders(recipe, task)
    optimizer = recipe.make_optimizer(model)
    steps = recipe.epochs * len(train_loader)
    scheduler = recipe.make_schedule(optimizer, len(train_loader))
    batches = endless(train_loader)
    model.train()
    for step in range(steps):
        x, y = next(batches)
        inputs, targets = recipe.train_batch(step, x, y)
        loss = recipe.objective(step, task.criterion(model(inputs), targets))
        recipe.clear(step, optimizer)
        loss.backward()
        recipe.before_step(step, model, optimizer)
        if recipe.clip is not None:
            nn.utils.clip_grad_norm_(model.parameters(), recipe.clip)
        optimizer.step()
        if scheduler is not None:
            scheduler.step()
        if recipe.evaluates and step % recipe.every == recipe.every - 1:
            evaluate(recipe, task, model, val_loader)
            if recipe.train_mode:
                model.train()


def full_batch(recipe: Recipe, task: Task, model: nn.Module) -> None:
    """All samples at once, no loader; the epoch is the step."""
    optimizer = recipe.make_optimizer(model)
    scheduler = recipe.make_schedule(optimizer, 1)
    for epoch in range(recipe.epochs):
        model.train()
        x, y = recipe.train_batch(epoch, *task.train)
        recipe.clear(epoch, optimizer)
        loss = recipe.objective(epoch, task.criterion(model(x), y))
        loss.backward()
        recipe.before_step(epoch, model, optimizer)
        if recipe.clip is not None:
            nn.utils.clip_grad_norm_(model.parameters(), recipe.clip)
        optimizer.step()
        if scheduler is not None:
            scheduler.step()
        if recipe.evaluates and epoch % recipe.every == recipe.every - 1:
            model.eval()
            with torch.no_grad():
                task.criterion(model(task.val[0]), task.val[1])


def in_slices(recipe: Recipe, task: Task, model: nn.Module) -> None:
    """Epochs over slices of a shuffled tensor: no loader to wait for."""
    optimizer = recipe.make_optimizer(model)
    x, y = task.train
    scheduler = recipe.make_schedule(optimizer, -(-len(x) // recipe.batch))
    step = 0
    for _epoch in range(recipe.epochs):
        model.train()
        order = torch.randperm(len(x))
        for start in range(0, len(x), recipe.batch):
            chosen = order[start : start + recipe.batch]
            inputs, targets = recipe.train_batch(step, x[chosen], y[chosen])
            recipe.clear(step, optimizer)
            loss = recipe.objective(step, task.criterion(model(inputs), targets))
            loss.backward()
            recipe.before_step(step, model, optimizer)
            if recipe.clip is not None:
                nn.utils.clip_grad_norm_(model.parameters(), recipe.clip)
            optimizer.step()
            if scheduler is not None:
                scheduler.step()
            step += 1
        if recipe.evaluates:
            model.eval()
            with torch.no_grad():
                task.criterion(model(task.val[0]), task.val[1])


def scaled(recipe: Recipe, task: Task, model: nn.Module) -> None:
    """Mixed precision with a gradient scaler."""
    train_loader, val_loader = loaders(recipe, task)
    optimizer = recipe.make_optimizer(model)
    scaler = torch.amp.GradScaler("cpu", **recipe.scaler)
    step = 0
    for _epoch in range(recipe.epochs):
        model.train()
        for x, y in train_loader:
            inputs, targets = recipe.train_batch(step, x, y)
            recipe.clear(step, optimizer)
            with torch.autocast("cpu", torch.float16):
                loss = recipe.objective(step, task.criterion(model(inputs), targets))
            scaler.scale(loss).backward()
            if recipe.clip is not None:
                scaler.unscale_(optimizer)
                nn.utils.clip_grad_norm_(model.parameters(), recipe.clip)
            scaler.step(optimizer)
            scaler.update()
            step += 1
        if recipe.evaluates:
            evaluate(recipe, task, model, val_loader)


def accumulating(recipe: Recipe, task: Task, model: nn.Module) -> None:
    """Four micro-batches a step."""
    train_loader, val_loader = loaders(recipe, task)
    optimizer = recipe.make_optimizer(model)
    for _epoch in range(recipe.epochs):
        model.train()
        for number, (x, y) in enumerate(train_loader):
            loss = task.criterion(model(x), y) / 4
            loss.backward()
            if number % 4 == 3 or number == len(train_loader) - 1:
                optimizer.step()
                optimizer.zero_grad()
        evaluate(recipe, task, model, val_loader)


def with_closure(recipe: Recipe, task: Task, model: nn.Module) -> None:
    """L-BFGS: the optimizer evaluates the loss itself."""
    optimizer = torch.optim.LBFGS(recipe.held(model), lr=recipe.lr, max_iter=5)

    def closure() -> Tensor:
        optimizer.zero_grad()
        loss: Tensor = task.criterion(model(task.train[0]), task.train[1])
        loss.backward()
        return loss

    for _epoch in range(recipe.epochs):
        model.train()
        optimizer.step(closure)
        model.eval()
        with torch.no_grad():
            task.criterion(model(task.val[0]), task.val[1])
