"""Pictures among the inputs of a batch."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np

if TYPE_CHECKING:
    import torch
    from numpy.typing import NDArray

_MOST_PIXELS = 512
_PICTURE = 3
_CHANNELS = (1, 3)


def is_pictures(tensor: torch.Tensor, samples: int) -> bool:
    """Whether a tensor of a batch holds one picture for each of its samples."""
    if tensor.dim() not in (_PICTURE, _PICTURE + 1) or len(tensor) != samples:
        return False
    if tensor.is_complex() or max(tensor.shape[-2:]) > _MOST_PIXELS or not tensor.numel():
        return False
    return tensor.dim() == _PICTURE or tensor.shape[1] in _CHANNELS


def pixels_of(tensor: torch.Tensor) -> NDArray[np.float32]:
    """Pictures as [n, height, width, 3], each spread over the whole range from 0 to 1."""
    values = tensor.detach().float().cpu().numpy()
    values = values[..., None] if values.ndim == _PICTURE else values.transpose(0, 2, 3, 1)
    values = np.nan_to_num(values, posinf=0.0, neginf=0.0)
    least = values.min((1, 2, 3), keepdims=True)
    spread = values.max((1, 2, 3), keepdims=True) - least
    scaled = (values - least) / np.where(spread > 0, spread, 1)
    return np.broadcast_to(scaled, (*scaled.shape[:3], 3)).astype(np.float32)
