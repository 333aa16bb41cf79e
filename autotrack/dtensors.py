"""DTensors: what this process may look at without asking the others that hold parts of one.

PyTorch answers a question about a whole DTensor by a collective, without being told to. Asked in
one process alone, that waits for ever, or is taken for the collective that the training does next.
"""

from __future__ import annotations

from typing import Any


def is_spread(tensor: Any) -> bool:
    """Whether a tensor is a DTensor, of which this process may hold a part only."""
    return hasattr(tensor, "to_local")


def whole_of(tensor: Any) -> Any:
    """Return a tensor, as a plain one where every process holds all of it; None for a part."""
    if not is_spread(tensor):
        return tensor
    if all(placement.is_replicate() for placement in tensor.placements):
        return tensor.detach().to_local()
    return None
