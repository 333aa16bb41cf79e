"""Loaders that keep one iterator, and repeat their sampler for ever: each round is a pass.

An average of the weights is evaluated, in `eval()`, while the model itself stays in training mode.
After the last epoch the weights that were best are evaluated by a line of their own.
"""

from __future__ import annotations

import copy

import torch
from torch import nn
from torch.utils.data import DataLoader, TensorDataset


class ForEver:
    def __init__(self, sampler):
        self.sampler = sampler

    def __iter__(self):
        while True:
            yield from self.sampler


class KeptLoader(DataLoader):
    def __init__(self, *args, **kwargs):
        super().__init__(*args, **kwargs)
        object.__setattr__(self, "batch_sampler", ForEver(self.batch_sampler))
        self.iterator = super().__iter__()

    def __len__(self):
        return len(self.batch_sampler.sampler)

    def __iter__(self):
        for _ in range(len(self)):
            yield next(self.iterator)


class Both:
    """A criterion of two parts, which training adds up."""

    def __init__(self):
        self.distance, self.likeness = nn.L1Loss(), nn.MSELoss()

    def __call__(self, output, targets):
        return self.distance(output, targets) + 2 * self.likeness(output, targets)


def run(model, compute_loss, batches, hand):
    model.eval()
    with torch.no_grad():
        for inputs, targets in batches:
            train_out = model(inputs)
            compute_loss(train_out, targets)
            apart = train_out - targets
            hand.saw("val", apart.abs().mean().item(), len(inputs), "l1_loss")
            hand.saw("val", apart.pow(2).mean().item(), len(inputs), "mse_loss")


def both_end(hand, epoch):
    for name in ("l1_loss", "mse_loss"):
        hand.end("val", epoch, name)


def loop(hand):
    torch.manual_seed(193)
    x, y = torch.randn(30, 4), torch.randn(30, 1)
    train_loader = KeptLoader(TensorDataset(x[:20], y[:20]), batch_size=5, shuffle=True)
    val_loader = KeptLoader(TensorDataset(x[20:], y[20:]), batch_size=4)
    model = nn.Sequential(nn.Linear(4, 6), nn.BatchNorm1d(6), nn.Linear(6, 1))
    average = copy.deepcopy(model)
    optimizer = torch.optim.SGD(model.parameters(), lr=0.05)
    compute_loss = Both()
    step = 0
    for epoch in range(3):
        model.train()
        for inputs, targets in train_loader:
            output = model(inputs)
            loss = compute_loss(output, targets)
            optimizer.zero_grad()
            loss.backward()
            hand.step(step, loss.item(), optimizer)
            apart = (output - targets).detach()
            hand.add("Loss/train/l1_loss", step, apart.abs().mean().item())
            hand.add("Loss/train/mse_loss", step, apart.pow(2).mean().item())
            hand.saw("train", loss.item(), len(inputs), output=output, target=targets)
            optimizer.step()
            step += 1
            with torch.no_grad():
                for kept, moved in zip(average.parameters(), model.parameters()):
                    kept.lerp_(moved, 0.5)
        hand.end("train", epoch)
        run(average, compute_loss, val_loader, hand)
        both_end(hand, epoch)
    run(copy.deepcopy(average), compute_loss, val_loader, hand)
    both_end(hand, epoch)
    return model, average, optimizer
