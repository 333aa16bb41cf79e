"""Which class was taken for which: counts of label and prediction, where the samples are.

Nothing here waits for a device: a batch adds one small tensor, and now and then these are counted
together with a scatter of fixed size.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any, NamedTuple

import numpy as np
import torch

if TYPE_CHECKING:
    from numpy.typing import NDArray

#: Matrices of more classes are large, and nobody can read them.
MOST_CLASSES = 100

_FOLD_AT_BATCHES = 64
_FOLD_AT_SAMPLES = 1 << 14
# Places beyond those of labels and predictions.
_FURTHER = 2
_CPU = torch.device("cpu")
# Where samples whose scores are NaN are counted: no label and no prediction leads here.
_UNSCORED = 1 << 40
# Of many classes only this many passes are kept one by one; then ever fewer.
_MANY_CLASSES = 32
_KEPT_AT_FIRST = 16


class Pairs(NamedTuple):
    """Label and prediction of each sample of a batch, as one number: label * classes + prediction.

    `ignored` is a label whose samples do not count.
    """

    places: torch.Tensor
    classes: int
    ignored: int | None = None
    unscored: bool = False


class Table(NamedTuple):
    """How often each label met each prediction, [classes * classes], of samples on the CPU.

    Two further places are for samples that do not count and that have no score: there are none.
    """

    counts: NDArray[np.int64]
    classes: int
    ignored: int | None = None

    @property
    def right(self) -> float:
        """How many samples had the class that was predicted."""
        return float(self.counts[: -_FURTHER : self.classes + 1].sum() - self._ignored()[1])

    @property
    def samples(self) -> float:
        """How many samples there are."""
        return float(self.counts.sum() - self._ignored()[0])

    def _ignored(self) -> tuple[int, int]:
        """Return how many samples do not count, and how many of these are right."""
        if self.ignored is None or not 0 <= self.ignored < self.classes:
            return 0, 0
        row = self.counts[self.ignored * self.classes :][: self.classes]
        return int(row.sum()), int(row[self.ignored])


def table_of(
    labels: NDArray[Any], predicted: NDArray[Any], classes: int, ignored: int | None = None
) -> Table | None:
    """Count labels and predictions of equal shape; None where a label is no class, or for too many.

    Predictions are all classes.
    """
    if not 1 < classes <= MOST_CLASSES:
        return None
    # Labels may be bytes, which their places are beyond.
    places = np.multiply(labels.reshape(-1), classes, dtype=np.int64)
    places += predicted.reshape(-1)
    # Without a sign, what is below zero is beyond as well.
    if not places.size or places.view(np.uint64).max() >= classes**2:
        return None
    return Table(np.bincount(places, minlength=classes**2 + _FURTHER), classes, ignored)


def pairs_of(
    labels: Any,
    predicted: Any,
    classes: int,
    *,
    ignored: int | None = None,
    unscored: torch.Tensor | None = None,
) -> Pairs | None:
    """Put labels and predictions of equal shape together; None for too many classes.

    Both are tensors, or both arrays on the CPU, of whole numbers or of truths (two classes).
    `unscored` is true where a sample's scores are NaN: it has no prediction.
    """
    if not 1 < classes <= MOST_CLASSES:
        return None
    if isinstance(labels, torch.Tensor):
        places = torch.add(predicted.long(), labels.long(), alpha=classes)
    else:
        # Labels may be bytes, which their places are beyond.
        raised = np.multiply(labels, classes, dtype=np.int64)
        places = torch.from_numpy(np.asarray(raised + predicted))
    if unscored is not None:
        places = places.masked_fill(unscored, _UNSCORED)
    flat = places if places.dim() == 1 else places.reshape(-1)
    return Pairs(flat, classes, ignored, unscored is not None)


@dataclass(slots=True, eq=False, repr=False)
class Confusion:
    """Counts of a pass so far; `known` is False once a batch could not be counted."""

    known: bool = True
    classes: int = 0
    ignored: int | None = None
    _waiting: list[torch.Tensor] = field(default_factory=list)
    _samples: int = 0
    _counts: torch.Tensor | None = None
    _some_unscored: bool = False

    def add(self, pairs: Pairs | Table | None) -> None:
        """Add a batch; None makes the whole unknown."""
        if pairs is None or (self.classes and not self._fits(pairs)):
            self.known = False
            self._waiting.clear()
        if not self.known or pairs is None:
            return
        self.classes, self.ignored = pairs.classes, pairs.ignored
        if isinstance(pairs, Table):
            self._count(torch.from_numpy(pairs.counts))
            return
        self._some_unscored |= pairs.unscored
        self._waiting.append(pairs.places)
        self._samples += pairs.places.numel()
        if len(self._waiting) >= _FOLD_AT_BATCHES or self._samples >= _FOLD_AT_SAMPLES:
            self._fold()

    def _fits(self, pairs: Pairs | Table) -> bool:
        known = self._waiting[0] if self._waiting else self._counts
        device = _CPU if isinstance(pairs, Table) else pairs.places.device
        same_place = known is None or known.device == device
        return same_place and (self.classes, self.ignored) == (pairs.classes, pairs.ignored)

    def _fold(self) -> None:
        """Count what waits: two further places take what does not count and what has no score."""
        places = torch.cat(self._waiting) if len(self._waiting) > 1 else self._waiting[0]
        self._waiting, self._samples = [], 0
        self._count(_counted(places, self.classes**2))

    def _count(self, counts: torch.Tensor) -> None:
        self._counts = counts if self._counts is None else self._counts + counts

    def flattened(self) -> torch.Tensor | None:
        """Counts row by row (label), shape [classes * classes]; None where they are not known.

        They are all -1 where a sample had no score: it has a label, and no column to stand in.
        """
        if not self.known or not (self._waiting or self._counts is not None):
            return None
        if self._waiting:
            self._fold()
        assert self._counts is not None
        cells = self.classes**2
        counts = self._counts[:cells]
        if self.ignored is not None and 0 <= self.ignored < self.classes:
            row = self.ignored * self.classes
            rest = counts[row + self.classes :]
            counts = torch.cat([counts[:row], counts.new_zeros(self.classes), rest])
        if not self._some_unscored:
            return counts
        return torch.where(self._counts[cells + 1] > 0, -1, counts)


def _counted(places: torch.Tensor, cells: int) -> torch.Tensor:
    """Counts of the places below `cells`, then of those that do not count and those unscored."""
    on_cpu = places.device.type == "cpu"
    if on_cpu and places.numel():
        low, high = places.aminmax()
        if int(low) >= 0 and int(high) < cells:
            return torch.bincount(places, minlength=cells + _FURTHER)
    beyond = torch.where(places == _UNSCORED, cells + 1, cells)
    places = torch.where((places >= 0) & (places < cells), places, beyond)
    if on_cpu:
        return torch.bincount(places, minlength=cells + _FURTHER)
    # `bincount` would wait for the device to know the largest place.
    counts = torch.zeros(cells + _FURTHER, dtype=torch.int64, device=places.device)
    return counts.scatter_add(0, places, torch.ones_like(places))


@dataclass(slots=True, eq=False, repr=False)
class Kept:
    """Which passes keep their matrix: each, and of many classes ever fewer."""

    _passes: dict[str, int] = field(default_factory=dict)

    def write(self, row: Any, name: str, confusion: Confusion, bring: Any) -> None:
        """Add the matrix of a pass, called `name`, to its row; `bring` brings it home."""
        number = self._passes.get(name, 0)
        self._passes[name] = number + 1
        stride = 1 << max(0, (number // _KEPT_AT_FIRST).bit_length())
        if confusion.classes > _MANY_CLASSES and number >= _KEPT_AT_FIRST and number % stride:
            return
        counts = confusion.flattened()
        if counts is not None:
            row.hidden.append((f"autotrack/confusion/{name}", bring(counts)))
