"""Small trainings that together use all that autotrack watches, and their exact state."""

from __future__ import annotations

import hashlib
import random
from collections.abc import Callable, Iterator
from typing import Any

import numpy as np
import torch
from torch import nn
from torch.nn import functional as F
from torch.nn.utils import clip_grad_norm_, clip_grad_value_
from torch.utils.data import DataLoader, TensorDataset


class OwnLoss(nn.Module):
    """A criterion as people write them: a module of their own around a function of PyTorch."""

    def forward(self, scores, labels):
        return F.cross_entropy(scores, labels) + 0.01 * scores.square().mean()


def seed(number: int = 0) -> None:
    torch.manual_seed(number)
    np.random.seed(number)  # noqa: NPY002 - the global generator is what must stay untouched
    random.seed(number)


def digest(*things: Any) -> str:
    """The state of models, optimizers and all random number generators, down to the last bit."""
    total = hashlib.sha256()
    for part in _bytes([thing.state_dict() for thing in things]):
        total.update(part)
    total.update(torch.get_rng_state().numpy().tobytes())
    total.update(repr(np.random.get_state()).encode())  # noqa: NPY002 - see seed
    total.update(np.random.get_state()[1].tobytes())  # noqa: NPY002 - see seed
    total.update(repr(random.getstate()).encode())
    return total.hexdigest()


def _bytes(thing: Any) -> Iterator[bytes]:
    if isinstance(thing, torch.Tensor):
        yield f"{thing.dtype}{tuple(thing.shape)}".encode()
        yield thing.detach().contiguous().reshape(-1).view(torch.uint8).numpy().tobytes()
    elif isinstance(thing, dict):
        for key, value in thing.items():
            yield repr(key).encode()
            yield from _bytes(value)
    elif isinstance(thing, (list, tuple)):
        for value in thing:
            yield from _bytes(value)
    else:
        yield repr(thing).encode()


def classification() -> str:
    """Dropout, shuffling, clipping, a schedule, evaluation with and without a criterion."""
    seed()
    x, y = torch.randn(8, 3), torch.randint(0, 2, (8,))
    model = nn.Sequential(nn.Linear(3, 4), nn.Dropout(0.5), nn.Linear(4, 2))
    optimizer = torch.optim.SGD(model.parameters(), lr=0.1, momentum=0.9)
    scheduler = torch.optim.lr_scheduler.StepLR(optimizer, 1)
    criterion = nn.CrossEntropyLoss()
    train_loader = DataLoader(TensorDataset(x, y), batch_size=4, shuffle=True)
    val_loader = DataLoader(TensorDataset(x[:4], y[:4]), batch_size=2)
    test_loader = DataLoader(TensorDataset(x[4:], y[4:]), batch_size=4)
    for _epoch in range(2):
        model.train()
        for inputs, labels in train_loader:
            optimizer.zero_grad()
            loss = criterion(model(inputs), labels)
            loss.backward()
            clip_grad_norm_(model.parameters(), 0.5)
            clip_grad_value_(model.parameters(), 0.4)
            optimizer.step()
        scheduler.step()
        model.eval()
        with torch.no_grad():
            for inputs, labels in val_loader:
                criterion(model(inputs), labels)
            for inputs, _labels in test_loader:
                model(inputs)
    return digest(model, optimizer, scheduler)


def several_losses() -> str:
    """A criterion of one's own, a second loss, micro-batches, evaluation with gradients on."""
    seed()
    x, y = torch.randn(8, 3), torch.randint(0, 2, (8,))
    body, head = nn.Linear(3, 4), nn.Linear(4, 2)
    model = nn.Sequential(body, nn.ReLU(), head)
    optimizer = torch.optim.Adam(model.parameters(), lr=0.01)
    own_loss = OwnLoss()
    loader = DataLoader(TensorDataset(x, y), batch_size=2)
    for _epoch in range(2):
        for number, (inputs, labels) in enumerate(loader):
            hidden = body(inputs)
            penalty = F.l1_loss(hidden, torch.zeros_like(hidden))
            loss = own_loss(model(inputs), labels) + 0.1 * penalty
            (loss / 2).backward()
            if number % 2:
                optimizer.step()
                optimizer.zero_grad()
        model.eval()
        F.cross_entropy(model(x), y)
        model.train()
    return digest(model, optimizer)


def regression() -> str:
    """Two optimizers, one under a scaler and one with a closure, and weights changed by hand."""
    seed()
    x, y = torch.randn(6, 2), torch.randn(6, 1)
    model, other = nn.Linear(2, 1), nn.Linear(2, 1)
    optimizer = torch.optim.SGD(model.parameters(), lr=0.05)
    lbfgs = torch.optim.LBFGS(other.parameters(), max_iter=2)
    scaler = torch.amp.GradScaler("cpu", init_scale=4.0)

    def closure():
        lbfgs.zero_grad()
        loss = F.mse_loss(other(x), y)
        loss.backward()
        return loss

    for step in range(4):
        optimizer.zero_grad()
        loss = F.mse_loss(model(x), y)
        if step == 1:
            loss = loss * float("inf")
        scaler.scale(loss).backward()
        scaler.step(optimizer)
        scaler.update()
        lbfgs.step(closure)
    with torch.no_grad():
        F.mse_loss(model(x), y)
    return digest(model, other, optimizer, lbfgs, scaler)


def by_hand() -> str:
    """No optimizer and no loader; binary targets."""
    seed()
    weights = torch.randn(3, 1, requires_grad=True)
    x = torch.randn(6, 3)
    y = (x[:, :1] > 0).float()
    for _epoch in range(3):
        loss = F.binary_cross_entropy_with_logits(x @ weights, y)
        loss.backward()
        with torch.no_grad():
            weights -= 0.1 * weights.grad
            weights.grad = None
    holder = nn.ParameterList([nn.Parameter(weights.detach())])
    return digest(holder)


def many_batches() -> str:
    """Enough plain steps from a loader to settle, and an evaluation between epochs."""
    seed()
    x, y = torch.randn(80, 3), torch.randint(0, 2, (80,))
    model = nn.Sequential(nn.Linear(3, 4), nn.ReLU(), nn.Linear(4, 2))
    optimizer = torch.optim.Adam(model.parameters(), lr=0.01)
    criterion = nn.CrossEntropyLoss()
    loader = DataLoader(TensorDataset(x, y), batch_size=4, shuffle=True)
    for _epoch in range(2):
        for inputs, labels in loader:
            optimizer.zero_grad()
            criterion(model(inputs), labels).backward()
            optimizer.step()
        with torch.no_grad():
            criterion(model(x), y)
    # A step that is begun like the others, and never taken.
    criterion(model(x[:4]), y[:4]).backward()
    return digest(model, optimizer)


def whole_batch() -> str:
    """Enough plain steps on one batch to settle, without a loader or epochs."""
    seed()
    x, y = torch.randn(6, 2), torch.randn(6, 1)
    model = nn.Linear(2, 1)
    optimizer = torch.optim.SGD(model.parameters(), lr=0.05)
    for _ in range(30):
        loss = F.mse_loss(model(x), y)
        optimizer.zero_grad()
        loss.backward()
        optimizer.step()
    return digest(model, optimizer)


TRAININGS: dict[str, Callable[[], str]] = {
    training.__name__: training
    for training in (
        classification,
        several_losses,
        regression,
        by_hand,
        many_batches,
        whole_batch,
    )
}
