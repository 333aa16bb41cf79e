"""The losses that a person's own criterion returns: one, or several in a tuple or a dictionary."""

from __future__ import annotations

import re
from collections.abc import Container, Mapping
from dataclasses import replace
from typing import TYPE_CHECKING, Any

import torch

from autotrack.guard import attempt

if TYPE_CHECKING:
    from autotrack.events import LossComputed

# A criterion that returns more numbers than this reports, and its own names are no components.
_MOST = 64


class Outputs:
    """Which of a criterion's results training has taken its loss from: those evaluate, too."""

    def __init__(self) -> None:
        #: The names of criteria that the person stated, and of those that are called so.
        self.stated: Container[str] = ()
        self.called: Container[str] = ()
        self._seen: set[str] = set()
        self._trained: set[str] = set()

    def losses(self, event: LossComputed) -> list[LossComputed]:
        """Return each loss of a criterion's result as a call of its own, by its key in it.

        The first of a tuple has the criterion's name, and what stands behind it `_2`, `_3`.
        """
        result: Any = event.loss
        if _is_loss(event.prediction):
            # What takes a number and returns one gathers losses: a running mean.
            return []
        if isinstance(result, torch.Tensor):
            return [event] if _is_number(result) and self._is_loss_of(event) else []
        named = _named(event)
        self._seen.update(named)
        if any(loss.requires_grad for loss in named.values()):
            named = {name: loss for name, loss in named.items() if loss.requires_grad}
        else:
            named = {name: loss for name, loss in named.items() if name in self._trained}
        return [
            replace(event, function=name, loss=loss, prediction=_prediction(event, name))
            for name, loss in named.items()
        ]

    def _is_loss_of(self, event: LossComputed) -> bool:
        """Whether a criterion's one number is a loss.

        Modules without weights that return a number measure more often than not (accuracy, PSNR).
        """
        self._seen.add(event.function)
        return bool(
            event.loss.requires_grad
            or event.function in self._trained
            or event.function in self.stated
            or event.function in self.called
        )

    def trained(self, function: str) -> None:
        """Training's loss is, or has in it, the result of this name."""
        if function in self._seen:
            self._trained.add(function)

    def trained_unseen(self, function: str) -> None:
        """Training's loss was the result of a criterion that was not known yet."""
        self._trained.add(function)


def _named(event: LossComputed) -> dict[str, Any]:
    result: Any = event.loss
    if isinstance(result, Mapping):
        pairs = attempt(result.items) or ()
        named = {_name(key): value for key, value in pairs if isinstance(key, str)}
    elif isinstance(result, (tuple, list)) and result and _is_loss(result[0]):
        others = {f"{event.function}_{n}": one for n, one in enumerate(result[1:], start=2)}
        named = {event.function: result[0], **others}
    else:
        return {}
    losses = {name: value for name, value in named.items() if name and _is_loss(value)}
    return losses if len(losses) <= _MOST else {}


def _prediction(event: LossComputed, name: str) -> Any:
    # What a key is called says nothing about what it compares.
    return event.prediction if name == event.function else None


def _is_loss(thing: Any) -> bool:
    return isinstance(thing, torch.Tensor) and thing.is_floating_point() and _is_number(thing)


def _is_number(tensor: torch.Tensor) -> bool:
    # On the device `meta` a tensor has a shape only.
    return tensor.dim() == 0 and not tensor.is_meta


def _name(key: str) -> str:
    return re.sub(r"\W+", "_", key).strip("_")
