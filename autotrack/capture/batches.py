"""Reads a backward call into a training batch: the loss before scaling, and what fed it."""

from __future__ import annotations

from typing import Any
from weakref import ref

from autotrack import graph
from autotrack.buffer import value_of
from autotrack.capture.criteria import Criteria
from autotrack.events import BackwardStarted, CriterionCall, LossScaled, TrainBatch
from autotrack.loopscope import Site
from autotrack.row import Value

_MOST_SCALED = 8


class Batches:
    """Makes a `TrainBatch` of each backward call while its graph is alive."""

    def __init__(self, criteria: Criteria) -> None:
        self._criteria = criteria
        self._scaled: list[tuple[ref[Any], Any, Value]] = []
        self.scaler: Any = None

    def loss_scaled(self, event: LossScaled) -> None:
        """Remember what a scaled loss was before scaling, until its backward."""
        self.scaler = event.scaler
        if event.loss.numel() == 1:
            self._scaled.append((ref(event.scaled), event.loss.grad_fn, value_of(event.loss)))
            del self._scaled[:-_MOST_SCALED]

    def read(self, event: BackwardStarted, site: Site, batch_size: int | None) -> TrainBatch:
        """Return the batch of a backward call; `batch_size` is the loader's, where there is one."""
        node, value = self._loss_of(event)
        self._scaled.clear()
        reading = graph.read(node, self._criteria.waiting)
        parts = reading.parts
        self._criteria.fed_training(parts)
        size = _common([part.size for part in parts])
        batch = TrainBatch(
            site=site,
            value=value,
            divisor=reading.divisor,
            size=size if size is not None else batch_size,
            parts=parts,
            reduction=_reduction(parts, exact=reading.exact),
            whole=reading.exact,
        )
        return _mean_of_sum(batch)

    def _loss_of(self, event: BackwardStarted) -> tuple[Any, Value | None]:
        """Return the node to read from, and the loss before scaling."""
        if len(event.tensors) != 1:
            return None, self._total(event)
        tensor, gradient = event.tensors[0], event.gradients[0]
        for scaled, node, value in self._scaled:
            if scaled() is tensor:
                return node, value
        if tensor.is_complex():
            return tensor.grad_fn, None
        if gradient is None:
            return tensor.grad_fn, value_of(tensor) if tensor.numel() == 1 else None
        return tensor.grad_fn, self._weighted(tensor, gradient)

    @staticmethod
    def _total(event: BackwardStarted) -> Value | None:
        """Return the sum of several losses given to one `torch.autograd.backward`."""
        if not event.tensors or any(t.numel() != 1 for t in event.tensors):
            return None
        total: Value = 0.0
        for tensor in event.tensors:
            total = total + value_of(tensor)
        return total

    def _weighted(self, tensor: Any, gradient: Any) -> Value | None:
        """Return what `losses.backward(gradient=weights)` minimises: the weighted sum.

        Losses are one number a sample; with more dimensions it may be a model's output driven by
        somebody else's gradient, and then it is a loss only where a criterion made it.
        """
        if tensor.dim() > 1 and not graph.read(tensor.grad_fn, self._criteria.waiting).parts:
            return None
        return value_of((tensor.detach() * gradient.detach()).sum())


def _common(values: list[Any]) -> Any:
    return values[0] if values and all(v == values[0] for v in values) else None


def _reduction(parts: list[CriterionCall], *, exact: bool) -> str:
    """Return how the loss stands to its samples: their mean, their sum, or not known (`mixed`)."""
    if not parts:
        return "mean"
    reduction = _common([part.reduction for part in parts])
    if reduction == "none":
        return "mean" if exact else "mixed"
    return reduction or "mixed"


def _mean_of_sum(batch: TrainBatch) -> TrainBatch:
    """A summed criterion divided by its number of samples is a mean, and that division no other."""
    if batch.whole and batch.reduction == "sum" and batch.size and batch.divisor == batch.size != 1:
        batch.reduction, batch.divisor = "mean", 1.0
    return batch
