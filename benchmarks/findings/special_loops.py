"""Training that does not look like classification: adversaries, rewards, noise, several losses."""

from __future__ import annotations

from copy import deepcopy
from typing import TYPE_CHECKING

import torch
from torch import Tensor, nn
from torch.nn import functional as F
from torch.optim import lr_scheduler
from torch.optim.swa_utils import AveragedModel, get_ema_multi_avg_fn

from benchmarks.findings.loops import evaluate, loaders

if TYPE_CHECKING:
    from benchmarks.findings.recipe import Recipe
    from benchmarks.findings.tasks import Task


def adversaries(recipe: Recipe, task: Task, model: nn.Module) -> None:
    """A generator (`model`) and a discriminator; real are the task's inputs."""
    real = task.train[0].flatten(1)
    width = real.shape[1]
    generator = nn.Sequential(nn.Linear(8, 32), nn.ReLU(), nn.Linear(32, width))
    discriminator = nn.Sequential(nn.Linear(width, 32), nn.LeakyReLU(0.2), nn.Linear(32, 1))
    opt_g = torch.optim.Adam(generator.parameters(), lr=recipe.lr, betas=(0.5, 0.999))
    opt_d = torch.optim.Adam(discriminator.parameters(), lr=recipe.lr, betas=(0.5, 0.999))
    for _epoch in range(recipe.epochs):
        for batch in torch.randperm(len(real)).split(recipe.batch):
            ones, zeros = torch.ones(len(batch), 1), torch.zeros(len(batch), 1)
            fake = generator(torch.randn(len(batch), 8))
            opt_d.zero_grad()
            loss_d = F.binary_cross_entropy_with_logits(discriminator(real[batch]), ones)
            loss_d = loss_d + F.binary_cross_entropy_with_logits(
                discriminator(fake.detach()), zeros
            )
            loss_d.backward()
            opt_d.step()
            opt_g.zero_grad()
            loss_g = F.binary_cross_entropy_with_logits(discriminator(fake), ones)
            loss_g.backward()
            opt_g.step()


def rewards(recipe: Recipe, task: Task, model: nn.Module) -> None:
    """REINFORCE: the loss says nothing about how well it goes."""
    optimizer = recipe.make_optimizer(model)
    x, y = task.train
    average = 0.0
    for _step in range(recipe.epochs * 40):
        chosen = torch.randint(len(x), (recipe.batch,))
        scores = torch.distributions.Categorical(logits=model(x[chosen]))
        actions = scores.sample()
        reward = (actions == y[chosen]).float()
        loss = -(scores.log_prob(actions) * (reward - average)).mean()
        average += 0.05 * (float(reward.mean()) - average)
        optimizer.zero_grad()
        loss.backward()
        optimizer.step()


def temporal_differences(recipe: Recipe, task: Task, model: nn.Module) -> None:
    """Q learning on a walk along a line: the target moves, and the loss rises while it learns."""
    target = deepcopy(model)
    optimizer = recipe.make_optimizer(model)
    for step in range(recipe.epochs * 40):
        place = torch.rand(recipe.batch, 1)
        action = torch.randint(2, (recipe.batch, 1))
        after = (place + 0.2 * (action - 0.5)).clamp(0, 1)
        with torch.no_grad():
            future = target(after).max(1, keepdim=True).values
            wanted = (after > 0.9).float() + 0.9 * future
        loss = F.smooth_l1_loss(model(place).gather(1, action), wanted)
        optimizer.zero_grad()
        loss.backward()
        nn.utils.clip_grad_norm_(model.parameters(), 10.0)
        optimizer.step()
        if step % 50 == 0:
            target.load_state_dict(model.state_dict())


def denoising(recipe: Recipe, task: Task, model: nn.Module) -> None:
    """A diffusion model: the loss falls early, then stays high and noisy while samples improve."""
    optimizer = recipe.make_optimizer(model)
    x = task.train[0].flatten(1)
    for _step in range(recipe.epochs * 40):
        clean = x[torch.randint(len(x), (recipe.batch,))]
        time = torch.rand(recipe.batch, 1)
        noise = torch.randn_like(clean)
        mixed = torch.cos(time * 1.57) * clean + torch.sin(time * 1.57) * noise
        loss = F.mse_loss(model(torch.cat([mixed, time], 1)), noise)
        optimizer.zero_grad()
        loss.backward()
        nn.utils.clip_grad_norm_(model.parameters(), 1.0)
        optimizer.step()


class VariationalAutoencoder(nn.Module):
    """Images to a distribution over four numbers and back."""

    def __init__(self, task: Task) -> None:
        super().__init__()
        self.encoder = nn.Sequential(nn.Linear(task.shape[0], 64), nn.ReLU(), nn.Linear(64, 8))
        self.decoder = nn.Sequential(nn.Linear(4, 64), nn.ReLU(), nn.Linear(64, task.shape[0]))

    def forward(self, x: Tensor) -> tuple[Tensor, Tensor, Tensor]:
        """Give the reconstruction, means and log variances."""
        mean, log_variance = self.encoder(x).chunk(2, 1)
        code = mean + torch.randn_like(mean) * torch.exp(0.5 * log_variance)
        return self.decoder(code), mean, log_variance


def variational(recipe: Recipe, task: Task, model: nn.Module) -> None:
    """Reconstruction plus divergence."""
    train_loader, _ = loaders(recipe, task)
    optimizer = recipe.make_optimizer(model)
    for _epoch in range(recipe.epochs):
        for x, _ in train_loader:
            output, mean, log_variance = model(x)
            divergence = -0.5 * (1 + log_variance - mean.square() - log_variance.exp()).sum(1)
            loss = F.mse_loss(output, x, reduction="sum") / len(x) + divergence.mean()
            optimizer.zero_grad()
            loss.backward()
            optimizer.step()


def several_losses(recipe: Recipe, task: Task, model: nn.Module) -> None:
    """A class and whether it is even, from one trunk."""
    train_loader, val_loader = loaders(recipe, task)
    optimizer = recipe.make_optimizer(model)
    for _epoch in range(recipe.epochs):
        model.train()
        for x, y in train_loader:
            scores = model(x)
            even = torch.logsumexp(scores[:, ::2], 1) - torch.logsumexp(scores[:, 1::2], 1)
            loss = F.cross_entropy(scores, y) + 0.3 * F.binary_cross_entropy_with_logits(
                even, (y % 2 == 0).float()
            )
            optimizer.zero_grad()
            loss.backward()
            optimizer.step()
        evaluate(recipe, task, model, val_loader)


def mixed_up(recipe: Recipe, task: Task, model: nn.Module) -> None:
    """Mixup: training looks worse than validation, as it should."""
    train_loader, val_loader = loaders(recipe, task)
    optimizer = recipe.make_optimizer(model)
    for _epoch in range(recipe.epochs):
        model.train()
        for x, y in train_loader:
            other = torch.randperm(len(x))
            share = float(torch.distributions.Beta(0.4, 0.4).sample())
            scores = model(share * x + (1 - share) * x[other])
            loss = share * F.cross_entropy(scores, y) + (1 - share) * F.cross_entropy(
                scores, y[other]
            )
            optimizer.zero_grad()
            loss.backward()
            optimizer.step()
        evaluate(recipe, task, model, val_loader)


def averaged(recipe: Recipe, task: Task, model: nn.Module) -> None:
    """An exponential moving average of the weights is what gets evaluated."""
    train_loader, val_loader = loaders(recipe, task)
    optimizer = recipe.make_optimizer(model)
    mean = AveragedModel(model, multi_avg_fn=get_ema_multi_avg_fn(0.98))
    for _epoch in range(recipe.epochs):
        model.train()
        for x, y in train_loader:
            optimizer.zero_grad()
            loss = task.criterion(model(x), y)
            loss.backward()
            optimizer.step()
            mean.update_parameters(model)
        evaluate(recipe, task, mean, val_loader)


def by_hand(recipe: Recipe, task: Task, model: nn.Module) -> None:
    """No optimizer: weights updated in the loop."""
    x, y = task.train
    for _epoch in range(recipe.epochs):
        for chosen in torch.randperm(len(x)).split(recipe.batch):
            loss = task.criterion(model(x[chosen]), y[chosen])
            loss.backward()
            with torch.no_grad():
                for parameter in model.parameters():
                    if parameter.grad is not None:
                        parameter.sub_(recipe.lr * parameter.grad)
                        parameter.grad = None


def when_it_stalls(recipe: Recipe, task: Task, model: nn.Module) -> None:
    """ReduceLROnPlateau, and stopping early."""
    train_loader, val_loader = loaders(recipe, task)
    optimizer = recipe.make_optimizer(model)
    scheduler = lr_scheduler.ReduceLROnPlateau(optimizer, factor=0.3, patience=2)
    best, waited = float("inf"), 0
    for _epoch in range(recipe.epochs):
        model.train()
        for x, y in train_loader:
            optimizer.zero_grad()
            loss = task.criterion(model(x), y)
            loss.backward()
            optimizer.step()
        model.eval()
        total = 0.0
        with torch.no_grad():
            for x, y in val_loader:
                total += float(task.criterion(model(x), y)) * len(x)
        scheduler.step(total)
        best, waited = (total, 0) if total < best else (best, waited + 1)
        if waited > 5:
            break


def steps_first(recipe: Recipe, task: Task, model: nn.Module) -> None:
    """Two lines in the wrong order: each step finds gradients that were just cleared."""
    train_loader, val_loader = loaders(recipe, task)
    optimizer = recipe.make_optimizer(model)
    for _epoch in range(recipe.epochs):
        model.train()
        for x, y in train_loader:
            loss = task.criterion(model(x), y)
            optimizer.zero_grad()
            optimizer.step()
            loss.backward()
        evaluate(recipe, task, model, val_loader)


def never_steps(recipe: Recipe, task: Task, model: nn.Module) -> None:
    """A line is missing: `optimizer.step()`."""
    train_loader, val_loader = loaders(recipe, task)
    optimizer = recipe.make_optimizer(model)
    for _epoch in range(recipe.epochs):
        model.train()
        for x, y in train_loader:
            optimizer.zero_grad()
            task.criterion(model(x), y).backward()
        evaluate(recipe, task, model, val_loader)
