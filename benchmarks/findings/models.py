"""Small networks of the usual kinds: each function says how to build one for a task."""

from __future__ import annotations

from collections.abc import Callable
from itertools import pairwise
from math import prod

import torch
from torch import Tensor, nn

from benchmarks.findings.tasks import Task

Builder = Callable[[Task], nn.Module]
Kind = Callable[..., nn.RNNBase]


def linear(task: Task) -> nn.Module:
    """No hidden layer."""
    return nn.Sequential(nn.Flatten(), nn.Linear(prod(task.shape), task.outputs))


def mlp(
    *widths: int,
    activation: Callable[[], nn.Module] = nn.ReLU,
    dropout: float = 0.0,
    norm: Callable[[int], nn.Module] | None = None,
) -> Builder:
    """Hidden layers of the given widths."""

    def build(task: Task) -> nn.Module:
        layers: list[nn.Module] = [nn.Flatten()]
        before = prod(task.shape)
        for width in widths:
            layers.append(nn.Linear(before, width))
            if norm is not None:
                layers.append(norm(width))
            layers.append(activation())
            if dropout:
                layers.append(nn.Dropout(dropout))
            before = width
        return nn.Sequential(*layers, nn.Linear(before, task.outputs))

    return build


def cnn(channels: int = 8, dropout: float = 0.0, *, norm: bool = False) -> Builder:
    """Two convolutions, pooling, and one linear layer."""

    def build(task: Task) -> nn.Module:
        return nn.Sequential(
            nn.Conv2d(1, channels, 3, padding=1),
            nn.BatchNorm2d(channels) if norm else nn.Identity(),
            nn.ReLU(),
            nn.MaxPool2d(2),
            nn.Conv2d(channels, 2 * channels, 3, padding=1),
            nn.BatchNorm2d(2 * channels) if norm else nn.Identity(),
            nn.ReLU(),
            nn.AdaptiveMaxPool2d(2),
            nn.Flatten(),
            nn.Dropout(dropout),
            nn.Linear(8 * channels, task.outputs),
        )

    return build


class Block(nn.Module):
    """Two convolutions with batch normalisation, and a way around them."""

    def __init__(self, channels: int) -> None:
        super().__init__()
        self.conv1 = nn.Conv2d(channels, channels, 3, padding=1, bias=False)
        self.bn1 = nn.BatchNorm2d(channels)
        self.conv2 = nn.Conv2d(channels, channels, 3, padding=1, bias=False)
        self.bn2 = nn.BatchNorm2d(channels)

    def forward(self, x: Tensor) -> Tensor:
        """Keep the shape."""
        inner = self.bn2(self.conv2(torch.relu(self.bn1(self.conv1(x)))))
        return torch.relu(x + inner)


def resnet(blocks: int = 2, channels: int = 8) -> Builder:
    """Residual blocks on one resolution."""

    def build(task: Task) -> nn.Module:
        return nn.Sequential(
            nn.Conv2d(1, channels, 3, stride=2, padding=1, bias=False),
            nn.BatchNorm2d(channels),
            nn.ReLU(),
            *(Block(channels) for _ in range(blocks)),
            nn.AdaptiveAvgPool2d(2),
            nn.Flatten(),
            nn.Linear(4 * channels, task.outputs),
        )

    return build


class Recurrent(nn.Module):
    """A recurrent layer over sequences of numbers or tokens: one answer, or one a token."""

    def __init__(self, task: Task, kind: Kind, width: int, *, each: bool) -> None:
        super().__init__()
        self.embedding = nn.Embedding(task.vocabulary, 16) if task.vocabulary else None
        self.rnn = kind(16 if task.vocabulary else task.shape[-1], width, batch_first=True)
        self.head = nn.Linear(width, task.outputs)
        self.each = each

    def forward(self, x: Tensor) -> Tensor:
        """Scores [n, outputs], or [n, outputs, length] where each token gets an answer."""
        states, _ = self.rnn(x if self.embedding is None else self.embedding(x))
        return self.head(states).transpose(1, 2) if self.each else self.head(states[:, -1])  # type: ignore[no-any-return]


def recurrent(kind: Kind, width: int = 32, *, each: bool = False) -> Builder:
    """LSTM, GRU or plain RNN."""
    return lambda task: Recurrent(task, kind, width, each=each)


class Transformer(nn.Module):
    """Encoder layers over tokens; with `each`, a causal mask and one answer a token."""

    def __init__(self, task: Task, width: int, layers: int, *, each: bool) -> None:
        super().__init__()
        length = task.shape[0]
        self.token = nn.Embedding(task.vocabulary, width)
        self.place = nn.Parameter(0.02 * torch.randn(length, width))
        self.layers = nn.ModuleList(
            nn.TransformerEncoderLayer(
                width, 2, 2 * width, dropout=0.05, batch_first=True, norm_first=True
            )
            for _ in range(layers)
        )
        self.norm = nn.LayerNorm(width)
        self.head = nn.Linear(width, task.outputs)
        self.each = each
        self.register_buffer("mask", torch.ones(length, length).triu(1).bool())

    def forward(self, x: Tensor) -> Tensor:
        """Scores [n, outputs], or [n, outputs, length] where each token gets an answer."""
        states = self.token(x) + self.place
        for layer in self.layers:
            states = layer(states, src_mask=self.mask if self.each else None)
        states = self.norm(states)
        return self.head(states).transpose(1, 2) if self.each else self.head(states.mean(1))  # type: ignore[no-any-return]


def transformer(width: int = 24, layers: int = 1, *, each: bool = False) -> Builder:
    """A small transformer over tokens."""
    return lambda task: Transformer(task, width, layers, each=each)


def autoencoder(*widths: int) -> Builder:
    """Down to the last width and up again."""

    def build(task: Task) -> nn.Module:
        sizes = [prod(task.shape), *widths, *reversed(widths[:-1]), task.outputs]
        layers: list[nn.Module] = []
        for before, after in pairwise(sizes):
            layers += [nn.Linear(before, after), nn.ReLU()]
        return nn.Sequential(*layers[:-1])

    return build
