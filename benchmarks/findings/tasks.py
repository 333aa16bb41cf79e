"""Small things to learn: real ones that scikit-learn brings along, MNIST where it is, made-up ones.

A task is a function of the seed: the same seed draws the same numbers.
"""

from __future__ import annotations

import gzip
from dataclasses import dataclass, replace
from functools import cache
from pathlib import Path

import numpy as np
import torch
from sklearn import datasets
from torch import Tensor, nn

MNIST = Path("/work/shared/data/MNIST/raw")


@dataclass(frozen=True)
class Task:
    """What to learn from (`train`), what to evaluate on (`val`), and by which loss.

    `shape` is that of one input, `outputs` how many numbers the model gives for one sample (or one
    token), `vocabulary` how many tokens there are where inputs are tokens.
    """

    train: tuple[Tensor, Tensor]
    val: tuple[Tensor, Tensor]
    criterion: nn.Module
    outputs: int
    vocabulary: int = 0

    @property
    def shape(self) -> tuple[int, ...]:
        """The shape of one input."""
        return tuple(self.train[0].shape[1:])

    def smaller(self, samples: int) -> Task:
        """The same with the first `samples` training samples only."""
        x, y = self.train
        return replace(self, train=(x[:samples], y[:samples]))


def digits(seed: int) -> Task:
    """1,797 handwritten digits of 8 x 8 pixels, flat."""
    x, y = datasets.load_digits(return_X_y=True)
    return _split(seed, _float(x) / 16 - 0.3, _long(y), nn.CrossEntropyLoss(), 10)


def images(seed: int) -> Task:
    """The same digits as images of one channel."""
    task = digits(seed)
    train, val = task.train, task.val
    return replace(
        task, train=(train[0].view(-1, 1, 8, 8), train[1]), val=(val[0].view(-1, 1, 8, 8), val[1])
    )


def rows(seed: int) -> Task:
    """The same digits, read row by row."""
    task = digits(seed)
    train, val = task.train, task.val
    return replace(
        task, train=(train[0].view(-1, 8, 8), train[1]), val=(val[0].view(-1, 8, 8), val[1])
    )


def reconstruction(seed: int) -> Task:
    """The same digits, to be given back."""
    task = digits(seed)
    train, val = task.train[0], task.val[0]
    return replace(task, train=(train, train), val=(val, val), criterion=nn.MSELoss(), outputs=64)


def mnist(seed: int) -> Task:
    """2,500 of MNIST's images, 14 x 14 pixels; scikit-learn's digits, enlarged, where it is not."""
    x, y = _mnist() if MNIST.is_dir() else _enlarged_digits()
    return _split(seed, x[:2500], y[:2500], nn.CrossEntropyLoss(), 10)


def imbalanced(seed: int) -> Task:
    """Is the digit a nine? A tenth of them are: the answer "no" is right nine times out of ten."""
    task = digits(seed)
    return replace(
        task,
        train=(task.train[0], (task.train[1] == 9).long()),
        val=(task.val[0], (task.val[1] == 9).long()),
        outputs=2,
    )


def tabular(seed: int) -> Task:
    """Four classes in twelve columns; one label in twenty is wrong, so nobody reaches 100 %."""
    x, y = datasets.make_classification(
        2000, 12, n_informative=8, n_classes=4, flip_y=0.05, class_sep=1.5, random_state=seed
    )
    return _split(seed, _scaled(x), _long(y), nn.CrossEntropyLoss(), 4)


def noisy(seed: int) -> Task:
    """Two classes that overlap so much that 70 % is all there is to be had."""
    generator = torch.Generator().manual_seed(seed)
    x = torch.randn(2000, 10, generator=generator)
    right = (x[:, 0] + 0.5 * x[:, 1] + 1.2 * torch.randn(2000, generator=generator)) > 0
    return _split(seed, x, right.long(), nn.CrossEntropyLoss(), 2)


def cancer(seed: int) -> Task:
    """Benign or malign from thirty measurements of 569 samples, one logit."""
    x, y = datasets.load_breast_cancer(return_X_y=True)
    return _split(seed, _scaled(x), _float(y)[:, None], nn.BCEWithLogitsLoss(), 1)


def wine(seed: int) -> Task:
    """Three kinds of wine, 178 bottles: a very small set."""
    x, y = datasets.load_wine(return_X_y=True)
    return _split(seed, _scaled(x), _long(y), nn.CrossEntropyLoss(), 3)


def moons(seed: int) -> Task:
    """Two half-moons that no straight line parts."""
    x, y = datasets.make_moons(1200, noise=0.15, random_state=seed)
    return _split(seed, _scaled(x), _float(y)[:, None], nn.BCEWithLogitsLoss(), 1)


def rings(seed: int) -> Task:
    """A ring around a ring: a straight line does no better than chance."""
    x, y = datasets.make_circles(1200, noise=0.08, factor=0.5, random_state=seed)
    return _split(seed, _scaled(x), _long(y), nn.CrossEntropyLoss(), 2)


def friedman(seed: int) -> Task:
    """Friedman's first curve: regression on ten columns, five of which say nothing."""
    x, y = datasets.make_friedman1(1600, noise=0.5, random_state=seed)
    return _split(seed, _scaled(x), _scaled(y[:, None]), nn.MSELoss(), 1)


def unscaled(seed: int) -> Task:
    """The same with targets as they came: losses start at two hundred."""
    x, y = datasets.make_friedman1(1600, noise=0.5, random_state=seed)
    return _split(seed, _scaled(x), _float(y)[:, None], nn.MSELoss(), 1)


def diabetes(seed: int) -> Task:
    """442 patients, and half of the variance that nobody explains."""
    x, y = datasets.load_diabetes(return_X_y=True)
    return _split(seed, _scaled(x), _scaled(y[:, None]), nn.MSELoss(), 1)


def line(seed: int) -> Task:
    """Y = 3 x + 2, the first regression of every tutorial."""
    generator = torch.Generator().manual_seed(seed)
    x = torch.randn(200, 1, generator=generator)
    y = 3 * x + 2 + 0.1 * torch.randn(200, 1, generator=generator)
    return _split(seed, x, y, nn.MSELoss(), 1)


def labels(seed: int) -> Task:
    """Six labels, any number of them right."""
    x, y = datasets.make_multilabel_classification(1600, 20, n_classes=6, random_state=seed)
    return _split(seed, _scaled(x), _float(y), nn.BCEWithLogitsLoss(), 6)


def chain(seed: int) -> Task:
    """Sixteen tokens, the next of which depends on the last two: half of it is chance."""
    random = np.random.default_rng(seed)
    favourite = random.integers(16, size=(16, 16))
    tokens = random.integers(16, size=(700, 25))
    for place in range(2, 25):
        likely = random.random(700) < 0.7
        chosen = favourite[tokens[:, place - 2], tokens[:, place - 1]]
        tokens[:, place] = np.where(likely, chosen, tokens[:, place])
    sequences = _long(tokens)
    return _split(
        seed, sequences[:, :-1], sequences[:, 1:], nn.CrossEntropyLoss(), 16, vocabulary=16
    )


def letters(seed: int) -> Task:
    """The licence, letter by letter."""
    text = (Path(__file__).resolve().parents[2] / "LICENSE").read_bytes()
    known = sorted(set(text))
    codes = torch.tensor([known.index(letter) for letter in text])
    windows = codes.unfold(0, 33, 16)
    return _split(
        seed,
        windows[:, :-1],
        windows[:, 1:],
        nn.CrossEntropyLoss(),
        len(known),
        vocabulary=len(known),
    )


def majority(seed: int) -> Task:
    """Which of two tokens is there more often?"""
    generator = torch.Generator().manual_seed(seed)
    tokens = torch.randint(2, (1600, 15), generator=generator)
    return _split(
        seed, tokens, (tokens.float().mean(1) > 0.5).long(), nn.CrossEntropyLoss(), 2, vocabulary=2
    )


def waves(seed: int) -> Task:
    """The frequency of a noisy wave of sixty points."""
    generator = torch.Generator().manual_seed(seed)
    frequency = torch.rand(1200, 1, generator=generator) * 2 + 0.5
    start = torch.rand(1200, 1, generator=generator) * 6
    noise = 0.1 * torch.randn(1200, 60, generator=generator)
    x = torch.sin(start + frequency * torch.linspace(0, 6, 60)) + noise
    return _split(seed, x[:, :, None], frequency - 1.5, nn.MSELoss(), 1)


def _split(
    seed: int, x: Tensor, y: Tensor, criterion: nn.Module, outputs: int, *, vocabulary: int = 0
) -> Task:
    order = torch.randperm(len(x), generator=torch.Generator().manual_seed(seed))
    x, y = x[order], y[order]
    held = len(x) // 5
    return Task((x[held:], y[held:]), (x[:held], y[:held]), criterion, outputs, vocabulary)


def _float(values: object) -> Tensor:
    return torch.from_numpy(np.asarray(values, np.float32))


def _long(values: object) -> Tensor:
    return torch.from_numpy(np.asarray(values, np.int64))


def _scaled(values: object) -> Tensor:
    numbers = _float(values)
    return (numbers - numbers.mean(0)) / numbers.std(0)


@cache
def _mnist() -> tuple[Tensor, Tensor]:
    pixels = gzip.decompress((MNIST / "t10k-images-idx3-ubyte.gz").read_bytes())
    classes = gzip.decompress((MNIST / "t10k-labels-idx1-ubyte.gz").read_bytes())
    whole = _float(np.frombuffer(pixels, np.uint8, offset=16)).view(-1, 1, 28, 28)
    x = nn.functional.avg_pool2d(whole, 2) / 255
    return (x - 0.13) / 0.28, _long(np.frombuffer(classes, np.uint8, offset=8))


def _enlarged_digits() -> tuple[Tensor, Tensor]:
    x, y = datasets.load_digits(return_X_y=True)
    small = _float(x).view(-1, 1, 8, 8) / 16 - 0.3
    return nn.functional.interpolate(small, (14, 14), mode="bilinear"), _long(y)
