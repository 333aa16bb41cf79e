"""Watches `torch.utils.data.DataLoader`: when a pass starts, each batch, and its end.

The iterator class is patched rather than wrapped in a proxy, so the loop keeps the very iterator
that PyTorch made, and leaving it by `break` or `next` needs no special case.
"""

from __future__ import annotations

import functools
import time
from typing import TYPE_CHECKING, Any
from weakref import WeakKeyDictionary, ref

from torch.utils.data import DataLoader
from torch.utils.data import dataloader as _dataloader

from autotrack.context import IDLE, active
from autotrack.events import BatchLoaded, LoaderFinished, LoaderStarted
from autotrack.guard import attempt

if TYPE_CHECKING:
    from autotrack.observers._patch import Patch

# Weak on both sides: a persistent-workers loader owns its iterator.
_loader_of: WeakKeyDictionary[Any, ref[Any]] = WeakKeyDictionary()
# Iterators that never end, with the batches of a round and how many have come.
_rounds: WeakKeyDictionary[Any, list[int]] = WeakKeyDictionary()
# The iterator that gave a batch last, its loader and round: nearly always the one that gives the
# next.
_latest: list[tuple[Any, Any, Any]] = [(lambda: None, None, None)]


def install(patch: Patch) -> None:
    """Watch every DataLoader, those with workers included (the workers are not watched)."""
    patch.replace(DataLoader, "__iter__", _wrap_iter)
    patch.replace(_dataloader._BaseDataLoaderIter, "__next__", _wrap_next)


def _wrap_iter(original: Any) -> Any:
    @functools.wraps(original)
    def __iter__(self: Any) -> Any:
        iterator = original(self)
        if (run := active()) is not None:
            _loader_of[iterator] = ref(self)
            if (length := attempt(_round_of, self)) is not None:
                _rounds[iterator] = [length, 0]
            run.emit(LoaderStarted(self))
        return iterator

    return __iter__


def _round_of(loader: Any) -> int | None:
    """Return the batches of a round where a loader repeats its sampler for ever, else None.

    Such a loader keeps one iterator, and its workers, for all epochs: its batch sampler, which does
    not end, has no length, and it says its own.
    """
    if type(loader) is DataLoader or loader._dataset_kind or loader.batch_sampler is None:
        return None
    if hasattr(type(loader.batch_sampler), "__len__"):
        return None
    length = len(loader)
    return length if length > 0 else None


def _begin_round(run: Any, loader: Any, rounds: list[int]) -> None:
    """Say that a pass is over and another begins, if the next batch is the first of a round."""
    length, taken = rounds
    if taken == length:
        run.emit(LoaderFinished(loader))
        run.emit(LoaderStarted(loader))
        rounds[1] = 0
    rounds[1] += 1


def _wrap_next(original: Any) -> Any:
    @functools.wraps(original)
    def __next__(self: Any) -> Any:
        run = active()
        if run is None:
            return original(self)
        last = _latest[0]
        if last[0]() is not self:
            if (known := _loader_of.get(self)) is None:
                return original(self)
            last = _latest[0] = (ref(self), known, _rounds.get(self))
        loader = last[1]()
        if loader is None:
            loader = self
        if last[2] is not None:
            attempt(_begin_round, run, loader, last[2])
        began = time.perf_counter()
        try:
            batch = original(self)
        except StopIteration:
            run.emit(LoaderFinished(loader))
            raise
        seconds, settled = time.perf_counter() - began, run.settled
        if settled.stage != IDLE or not settled.batch_loaded(loader, batch, seconds):
            run.emit(BatchLoaded(loader, batch, seconds))
        return batch

    return __next__
