"""Trainings on whatever device `put` brings tensors to and `move` brings models to."""

from __future__ import annotations

import torch
from torch import nn
from torch.nn import functional


def network(outputs=3):
    torch.manual_seed(0)
    return nn.Sequential(nn.Linear(5, 7), nn.BatchNorm1d(7), nn.ReLU(), nn.Linear(7, outputs))


def batches(targets, number=4, size=8):
    torch.manual_seed(1)
    return [(torch.randn(size, 5), targets(size)) for _ in range(number)]


def classification(put, move):
    model, criterion = move(network()), nn.CrossEntropyLoss()
    optimizer = torch.optim.SGD(model.parameters(), lr=0.1, momentum=0.9)
    data = batches(lambda n: torch.randint(0, 3, (n,)))
    for _ in range(3):
        model.train()
        for x, y in data:
            loss = criterion(model(put(x)), put(y))
            optimizer.zero_grad()
            loss.backward()
            nn.utils.clip_grad_norm_(model.parameters(), 0.5)
            optimizer.step()
        model.eval()
        with torch.inference_mode():
            for x, y in data[:2]:
                criterion(model(put(x)), put(y))
    return model


def regression(put, move):
    model, criterion = move(network(2)), nn.MSELoss()
    optimizer = torch.optim.SGD(model.parameters(), lr=0.01)
    data = batches(lambda n: 100 + torch.randn(n, 2))
    for _ in range(3):
        for x, y in data:
            loss = criterion(model(put(x)), put(y))
            optimizer.zero_grad()
            loss.backward()
            optimizer.step()
    return model


def labels(put, move):
    model, criterion = move(network(2)), nn.BCEWithLogitsLoss()
    optimizer = torch.optim.SGD(model.parameters(), lr=0.1)
    data = batches(lambda n: torch.randint(0, 2, (n, 2)).float())
    for _ in range(3):
        for x, y in data:
            loss = criterion(model(put(x)), put(y))
            optimizer.zero_grad()
            loss.backward()
            optimizer.step()
    return model


def micro_batches(put, move):
    """Accumulation, a second loss, and half of the labels ignored."""
    model = move(network())
    optimizer = torch.optim.SGD(model.parameters(), lr=0.1)
    data = batches(lambda n: torch.tensor([-100, 1] * (n // 2)))
    for _ in range(3):
        for x, y in data:
            output = model(put(x))
            loss = functional.cross_entropy(output, put(y))
            loss = loss + 0.1 * functional.mse_loss(output, torch.zeros_like(output))
            loss = loss / 2
            loss.backward()
            if x is data[1][0] or x is data[3][0]:
                optimizer.step()
                optimizer.zero_grad()
    return model


def summed(put, move):
    """A sum over those labels that are not ignored, which only the device can count."""
    model = move(network())
    optimizer = torch.optim.SGD(model.parameters(), lr=0.01)
    data = batches(lambda n: torch.tensor([-100, 1, 2, 0] * (n // 4)))
    data += batches(lambda n: torch.tensor([1, 2] * (n // 2)), number=1, size=6)
    for _ in range(3):
        for x, y in data:
            loss = functional.cross_entropy(model(put(x)), put(y), reduction="sum")
            optimizer.zero_grad()
            loss.backward()
            optimizer.step()
        with torch.no_grad():
            for x, y in data:
                functional.cross_entropy(model(put(x)), put(y), reduction="sum")
    return model


def by_hand(put, move):
    """Weights that are moved where PyTorch counts no change, without an optimizer."""
    model = move(network(1))
    data = batches(lambda n: torch.randn(n, 1))
    for _ in range(3):
        for x, y in data:
            loss = functional.mse_loss(model(put(x)), put(y))
            loss.backward()
            for weight in model.parameters():
                weight.data -= 0.05 * weight.grad
                weight.grad = None
    return model


def attacked_first(put, move):
    """Gradients of inputs, by which nothing moves, before an optimizer takes the weights."""
    model = move(network(1))
    data = batches(lambda n: torch.randn(n, 1))
    for x, y in data:
        inputs = put(x).requires_grad_()
        functional.mse_loss(model(inputs), put(y)).backward()
        model.zero_grad()
    optimizer = torch.optim.SGD(model.parameters(), lr=0.05)
    for _ in range(3):
        for x, y in data:
            loss = functional.mse_loss(model(put(x)), put(y))
            optimizer.zero_grad()
            loss.backward()
            optimizer.step()
    return model


TRAININGS = [
    classification,
    regression,
    labels,
    micro_batches,
    summed,
    by_hand,
    attacked_first,
]
