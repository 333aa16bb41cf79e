"""Norms of gradients that are spread over several processes, without asking the others.

A global norm would be a collective, and one process asking for it alone would wait forever. Each
process notes what its own shards add; the record's reader puts the records of all together.
"""

from __future__ import annotations

from typing import Any

import torch
from torch import distributed

from autotrack.dtensors import is_spread

#: Why a number of whole tensors is absent.
SPREAD = "weights are spread over several processes, and none of them holds a whole one"


def any_spread(tensors: list[Any]) -> bool:
    """Whether any of some tensors is a DTensor."""
    for tensor in tensors:  # noqa: SIM110 - a generator costs a frame a tensor
        if type(tensor) is not torch.Tensor and is_spread(tensor):
            return True
    return False


def shard_norms(tensors: list[Any], norm_of: Any) -> list[Any] | None:
    """Return three numbers: the norm of the own shards, of whole tensors, and how many processes.

    A shard that several processes hold alike counts in each by its fraction, so that the squares of
    the first number, over all processes, add up to the square over all elements. `norm_of` gives
    the L2 norm of a list of tensors. None where a gradient is not reduced yet.
    """
    spread = [t for t in tensors if is_spread(t)]
    copies = [_copies(t) for t in spread]
    if any(number is None for number in copies):
        return None
    squares: Any = 0.0
    for number in set(copies):
        local = [t.to_local() for t, c in zip(spread, copies, strict=True) if c == number]
        norm = norm_of([t for t in local if t.numel()])
        squares = squares if norm is None else squares + norm * norm / number
    whole = norm_of([t for t in tensors if not is_spread(t)])
    return [squares**0.5, 0.0 if whole is None else whole, float(distributed.get_world_size())]


def _copies(tensor: Any) -> int | None:
    """Return how many processes hold the same shard; None for partial sums."""
    number = 1
    for dimension, placement in enumerate(tensor.placements):
        if placement.is_partial():
            return None
        if placement.is_replicate():
            number *= tensor.device_mesh.size(dimension)
    # Processes outside the tensor's mesh have another shard, or none: they add what they hold.
    return number
