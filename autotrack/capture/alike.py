"""Whether a criterion is called as before: from the same place, with things of the same kind."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from torch import Tensor

if TYPE_CHECKING:
    from autotrack.frames import Way


class Alike:
    """A criterion call that others are compared with.

    `frame` is the `id` of the person's frame that made this one. `whole` says that a call's way
    outwards is looked at up to the boundary; it need not be where backward is called in the same
    frame, and looks itself.
    """

    __slots__ = (
        "_arity",
        "_contiguous",
        "_device",
        "_dtype",
        "_kernel",
        "_others",
        "_shape",
        "_target_dtype",
        "_target_shape",
        "_tensors",
        "frame",
        "way",
        "whole",
    )

    def __init__(self, kernel: Any, loss: Tensor, args: tuple[Any, ...], way: Way) -> None:
        self._kernel = kernel
        # -1 for the CPU.
        self._device = loss.get_device()
        prediction, target = args[0], args[1]
        self._shape, self._dtype = prediction.shape, prediction.dtype
        self._target_shape, self._target_dtype = target.shape, target.dtype
        self._contiguous = prediction.is_contiguous(), target.is_contiguous()
        self._others, self._arity = args[2:], len(args)
        # Tensors are compared by what they are, never by what is in them.
        self._tensors = any(isinstance(other, Tensor) for other in self._others)
        self.way, self.whole, self.frame = way, True, 0

    def is_again(self, kernel: Any, loss: Any, args: tuple[Any, ...]) -> bool:
        """Whether a call gave a loss like this one did, from arguments of the kind.

        That they lead back to parameters is for whoever needs their nodes to see.
        """
        if kernel is not self._kernel or len(args) != self._arity:
            return False
        prediction, target = args[0], args[1]
        return (
            type(prediction) is Tensor
            and type(target) is Tensor
            and loss.get_device() == self._device
            and prediction.shape == self._shape
            and target.shape == self._target_shape
            and prediction.dtype is self._dtype
            and target.dtype is self._target_dtype
            and (prediction.is_contiguous(), target.is_contiguous()) == self._contiguous
            and (args[2:] == self._others if not self._tensors else self._are_same(args[2:]))
        )

    def _are_same(self, others: tuple[Any, ...]) -> bool:
        return len(others) == len(self._others) and all(
            one is another for one, another in zip(others, self._others, strict=True)
        )
