"""Whether weights have moved since a backward: what tells a step by hand from a look at gradients.

Gradients of inputs, of an attack or a saliency map, come of the same calls, and nothing follows.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

import torch
from torch.nn.functional import cosine_similarity

from autotrack.dtensors import is_spread
from autotrack.guard import attempt

if TYPE_CHECKING:
    from torch import Tensor

# What follows weights is a step if it lies this much against the gradient: SGD's does wholly, and
# decay or momentum turn it a little.
_AGAINST = -0.9
_INTEGERS = {1: torch.int8, 2: torch.int16, 4: torch.int32, 8: torch.int64}


class Before:
    """Weights as they are when a backward has brought them gradients, held until the next one."""

    def __init__(self, weights: list[Tensor]) -> None:
        self._weights = weights
        self._gradients = [weight.grad for weight in weights]
        # Of a tensor that is spread over processes a sum would be a collective.
        plain = not any(map(is_spread, weights))
        self._places = attempt(_places, weights) if plain else None
        self._bits = attempt(_bits, weights) if plain else None

    def has_moved(self) -> bool:
        """Whether any weight is another number now; also where that cannot be known.

        On a device this waits for the answer, if the weights were not changed where PyTorch counts
        changes: `weight.data -= ...` does not.
        """
        places, bits = self._places, self._bits
        if places is None or bits is None or attempt(_places, self._weights) != places:
            return True
        return attempt(_are, self._weights, bits) is not True

    def is_followed_by(self, others: list[Tensor]) -> bool:
        """Whether other tensors are what a step makes of these: `(w - rate * w.grad).detach()`."""
        kept = {id(weight) for weight in self._weights}
        if any(id(other) in kept for other in others):
            return False
        if [weight.shape for weight in self._weights] != [other.shape for other in others]:
            return False
        return attempt(self._lie_against, others) is True

    def _lie_against(self, others: list[Tensor]) -> bool:
        pairs = zip(others, self._weights, self._gradients, strict=True)
        known = [(other, weight, grad) for other, weight, grad in pairs if grad is not None]
        change = torch.cat([(o - w).detach().flatten() for o, w, _ in known])
        gradient = torch.cat([grad.detach().flatten() for *_, grad in known])
        return bool(cosine_similarity(change, gradient, dim=0) < _AGAINST)


def _places(weights: list[Tensor]) -> list[tuple[int, int]]:
    return [(weight._version, weight.data_ptr()) for weight in weights]


def _are(weights: list[Tensor], bits: Tensor) -> bool:
    return torch.equal(_bits(weights), bits)


def _bits(weights: list[Tensor]) -> Tensor:
    """Return a number of each weight that another value in it changes."""
    whole = [w.detach().view(_INTEGERS[w.element_size()]).sum(dtype=torch.int64) for w in weights]
    return torch.stack(whole)
