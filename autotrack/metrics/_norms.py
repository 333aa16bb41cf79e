"""L2 norms of tensors: at once on the CPU, by few kernels and without waiting on a device."""

from __future__ import annotations

import math
from functools import partial
from typing import TYPE_CHECKING, Any

import numpy as np
import torch

from autotrack.metrics._shards import any_spread
from autotrack.pending import when_known

if TYPE_CHECKING:
    from collections.abc import Iterable, Sequence

    from autotrack.row import Value
    from autotrack.transfer import Transfer

_LONGEST_SUM = 2**17
_HALVES = frozenset({torch.float16, torch.bfloat16})
_vector_norm, _dot = torch.linalg.vector_norm, torch.dot
_bits = np.bitwise_or.reduce
# All of a number in single precision but its sign.
_MAGNITUDE = 0x7FFFFFFF

# Below this norm, squares of elements that matter may vanish in single precision.
_SAFE_NORM = 1e-15
_SAFE = _SAFE_NORM**2
# Beyond this sum, squares that may have vanished are too small to count: of a thousand million
# elements they come to 1e-29 at most.
_SURE = 1e-20


def norm_of(tensors: list[torch.Tensor], transfer: Transfer | None = None) -> Value | None:
    """Return the L2 norm over all elements of `tensors`; None without any.

    Tensors on a device need `transfer`, which brings the norm home. None also where gradients of a
    device are sparse and not summed up: how many rows they have only the device knows.
    """
    if not tensors or any_spread(tensors):
        return None
    if transfer is not None and not all_on_cpu(tensors):
        each = norms_of(tensors, transfer)
        return None if each is None else when_known(together, each)
    return norm_of_plain(tensors)


def norm_of_groups(groups: list[dict[str, Any]]) -> float | None:
    """Return the L2 norm over the gradients of an optimizer's groups.

    None where there is none or it is not finite, and where a gradient is not plain: sparse, spread,
    on a device, with a graph.
    """
    gradients = []
    for group in groups:
        for parameter in group["params"]:
            gradient = parameter.grad
            if gradient is None:
                continue
            if (
                type(gradient) is not torch.Tensor
                or gradient.layout is not torch.strided
                or gradient.requires_grad
                or not gradient.is_cpu
            ):
                return None
            gradients.append(gradient)
    norm = norm_of_plain(gradients)
    return norm if gradients and norm < math.inf else None


def norm_of_plain(tensors: list[torch.Tensor]) -> float:
    """Return the L2 norm over all elements of plain tensors on the CPU."""
    square = 0.0
    for tensor in tensors:
        size = tensor.numel()
        if size == 1:
            norm = abs(tensor.item())
            square += norm * norm
        elif tensor.dtype is torch.float32 and size <= _LONGEST_SUM and tensor.is_contiguous():
            # Here as in `_square`: a frame a tensor costs a third of all that is done for it.
            flat = tensor if tensor.dim() == 1 else tensor.view(-1)
            square += _dot(flat, flat).item()
        else:
            square += _square(tensor, size)
    if not _SURE < square < math.inf:
        square = sum(_square(tensor, tensor.numel()) for tensor in tensors)
    return math.nan if math.isnan(square) else math.sqrt(square)


def all_on_cpu(tensors: list[torch.Tensor]) -> bool:
    """Whether no tensor lies on a device."""
    for tensor in tensors:  # noqa: SIM110 - a generator costs a frame a tensor
        if not tensor.is_cpu:
            return False
    return True


def _square(tensor: torch.Tensor, size: int) -> float:
    """Return the squared L2 norm of a tensor on the CPU, of `size` elements."""
    if size > _LONGEST_SUM and tensor.is_contiguous():
        # A long sum in single precision drifts: by 4e-5 over 600 thousand squares, by 3e-3 over 40
        # million, an embedding's size.
        pieces = torch.split(tensor.detach().view(-1), _LONGEST_SUM)
        return sum(_square(piece, piece.numel()) for piece in pieces)
    if tensor.dtype is torch.float32 and tensor.is_contiguous():
        # Faster than the norm itself, and a few times more precise: it keeps more partial sums.
        flat = tensor if tensor.dim() == 1 else tensor.view(-1)
        square: float = _dot(flat, flat).item()
        if _SAFE < square < math.inf:
            return square
        if square == 0 and not _bits(flat.detach().numpy().view(np.int32)) & _MAGNITUDE:
            # Really nothing, as in a layer that is dead: no need for more precision.
            return 0.0
    # A float that is too large to be squared raises where it is raised to a power.
    norm = _norm(tensor)
    return norm * norm


def _norm(tensor: torch.Tensor) -> float:
    """Return the norm where a sum of squares in single precision is not right, or not at hand."""
    # The square of a half-precision number overflows long before the number does.
    wide = torch.float32 if tensor.dtype in _HALVES else None
    norm: float = _vector_norm(tensor, dtype=wide).item()
    if not _SAFE_NORM < norm < math.inf and not tensor.is_complex():
        # The squares of finite numbers, of vanishing ones too, may not fit single precision:
        # once more in double.
        norm = _vector_norm(tensor, dtype=torch.float64).item()
    return norm


def norms_of(tensors: Sequence[torch.Tensor], transfer: Transfer) -> Any:
    """Return the list of the tensors' own norms, on its way where a device holds any of them.

    None where it cannot be known without waiting for the device.
    """
    if any(t.layout == torch.sparse_coo for t in tensors):
        return None
    found: list[Any] = [norm_of([t]) if t.device.type == "cpu" else None for t in tensors]
    groups: dict[tuple[torch.device, torch.dtype], list[int]] = {}
    for index, tensor in enumerate(tensors):
        if found[index] is None:
            groups.setdefault((tensor.device, tensor.dtype), []).append(index)
    sent = [
        _norms_there([tensors[i] for i in at], device, transfer)
        for (device, _), at in groups.items()
    ]
    return when_known(partial(_put_together, found, list(groups.values())), *sent)


def _norms_there(tensors: list[torch.Tensor], device: torch.device, transfer: Transfer) -> Any:
    tensors = [torch.view_as_real(t) if t.is_complex() else t for t in tensors]
    norms = torch._foreach_norm(tensors, 2, transfer.wide(device))
    places, sent = transfer.places(device, len(tensors))
    torch.stack(norms, out=places)
    return sent


def norms_there(gradients: list[torch.Tensor], transfer: Transfer) -> list[torch.Tensor] | None:
    """Return the norms of plain gradients, left where they are: all on one device, of one type.

    None where there are none, or they are not that plain.
    """
    if not gradients:
        return None
    first = gradients[0]
    device, kind = first.get_device(), first.dtype
    for gradient in gradients:
        if (
            type(gradient) is not torch.Tensor
            or gradient.layout is not torch.strided
            or gradient.requires_grad
            or gradient.dtype is not kind
            or gradient.get_device() != device
        ):
            return None
    if first.is_complex():
        return None
    return list(torch._foreach_norm(gradients, 2, transfer.wide(first.device)))


def _put_together(found: list[Any], groups: list[list[int]], *sent: Any) -> list[float]:
    norms = list(found)
    for indices, values in zip(groups, sent, strict=True):
        for index, value in zip(indices, values, strict=True):
            norms[index] = float(value)
    return norms


def together(norms: Iterable[float]) -> float:
    """Return the norm of tensors that have these norms."""
    norms = list(norms)
    return math.nan if any(math.isnan(n) for n in norms) else math.hypot(*norms)
