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
        # A device would have to be waited for, and a sum over processes is a collective.
        at_hand = all(w.device.type == "cpu" and not is_spread(w) for w in weights)
        self._places = attempt(_places, weights)
        self._bits = attempt(_bits, weights) if at_hand else None

    @property
    def is_known(self) -> bool:
        """Whether `has_moved` knows; else `weight.data -= ...` cannot be told from nothing."""
        return self._bits is not None and self._places is not None

    def has_moved(self) -> bool:
        """Whether any weight is known to be another number now."""
        if attempt(_places, self._weights) != self._places:
            return True
        return self._bits is not None and attempt(_are, self._weights, self._bits) is not True

    def is_followed_by(self, others: list[Tensor]) -> bool:
        """Whether others, of the next loss, are what a step makes of these weights.

        That is `(w - rate * w.grad).detach()`. Where it cannot be asked, a step lies between unless
        some of them are the same and some are not: those of an attack, whose inputs alone are new.
        """
        own = {id(weight) for weight in self._weights}
        same = sum(id(other) in own for other in others)
        if not self.is_known:
            return same in {0, len(own)}
        if same or [weight.shape for weight in self._weights] != [other.shape for other in others]:
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
