"""What stands in the batches that loaders give: tuples, dictionaries, objects that become one."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from autotrack.guard import attempt


def parts_of(batch: Any) -> list[Any]:
    """Return what a batch holds, one level deep; the batch itself where it is a tensor.

    Of any other object what its `to_dict()` gives, as graphs have it; nothing where it has none.
    """
    if isinstance(batch, Mapping):
        return list(attempt(batch.values) or ())
    if isinstance(batch, (tuple, list)):
        return list(batch)
    if attempt(hasattr, batch, "shape"):
        return [batch]
    to_dict = attempt(getattr, batch, "to_dict", None)
    as_dict = attempt(to_dict) if callable(to_dict) else None
    return list(as_dict.values()) if isinstance(as_dict, dict) else []


def first_of(output: Any) -> Any:
    """Return the first thing in a tuple or a dictionary, and in a tuple there; else the thing."""
    if isinstance(output, Mapping):
        output = next(iter(attempt(output.values) or ()), None)
    if isinstance(output, (tuple, list)):
        output = output[0] if output else None
    return output
