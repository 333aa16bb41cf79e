"""Reads a backward call into a training batch: the loss before scaling, and what fed it."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any
from weakref import ref

from autotrack import graph
from autotrack.capture.criteria import forget_samples
from autotrack.dtensors import is_spread
from autotrack.events import BackwardStarted, CriterionCall, LossScaled, TrainBatch

if TYPE_CHECKING:
    from collections.abc import Callable

    from autotrack.capture.criteria import Criteria
    from autotrack.loopscope import Site
    from autotrack.row import Value

_MOST_SCALED = 8
# Between a number and its division by a whole number, in double precision.
_ROUNDING = 1e-9


class Batches:
    """Makes a `TrainBatch` of each backward call while its graph is alive."""

    def __init__(self, criteria: Criteria, value_of: Callable[[Any], Value | None]) -> None:
        self._criteria = criteria
        self._value_of = value_of
        self._scaled: list[tuple[ref[Any], Any, Value | None]] = []
        self.scaler: Any = None
        # By call site: the size of a full batch by which sums were divided there.
        self._sizes: dict[int, float] = {}

    def loss_scaled(self, event: LossScaled) -> None:
        """Remember what a scaled loss was before scaling, until its backward."""
        self.scaler = event.scaler
        if event.loss.numel() == 1:
            self.keep(ref(event.scaled), event.loss.grad_fn, self._value_of(event.loss))

    def keep(self, scaled: ref[Any], node: Any, value: Value | None) -> None:
        """Remember what a scaled loss was before, by its node in the graph and its value."""
        self._scaled.append((scaled, node, value))
        del self._scaled[:-_MOST_SCALED]

    def read(
        self, event: BackwardStarted, site: Site, batch_size: int | None, drawn: int = 0
    ) -> TrainBatch:
        """Return the batch of a backward call.

        `batch_size` is the loader's, where there is one, and `drawn` the number of its batch.
        """
        if not self._scaled and (batch := self._of_one_call(event, site)) is not None:
            if len(self._criteria.waiting) > 1:
                self._criteria.look_for_others([])
            return batch
        unscaled = self._before_scaling(event)
        node, value = unscaled or self._loss_of(event)
        self._scaled.clear()
        reading = graph.read(node, self._criteria.waiting)
        parts = reading.parts
        self._criteria.fed_training(parts)
        if len(self._criteria.waiting) > len(parts):
            self._criteria.look_for_others([tensor.grad_fn for tensor in event.tensors])
        if any(part.reduction == "none" for part in parts):
            self._forget_chosen(node)
        size = _common([part.size for part in parts])
        batch = TrainBatch(
            site=site,
            value=value,
            divisor=reading.divisor,
            size=size if size is not None else batch_size,
            parts=parts,
            reduction=_reduction(parts, reading.reduced or _reduced_by(event)),
            whole=reading.exact,
            weight=parts[0].weight if len(parts) == 1 else None,
            drawn=drawn if size is None else None,
            apart=size not in (None, batch_size) and _are_apart(parts),
            as_read=(reading.divisor, reading.exact, None),
            scaled=unscaled is not None,
        )
        return self._mean_of_sum(batch, reading)

    def _forget_chosen(self, node: Any) -> None:
        """Count nothing of samples that a person's mask or choice may have left out of the loss."""
        for part in graph.chosen(node, self._criteria.waiting):
            if part.reduction == "none":
                self._criteria.chosen.add(part.function)
                forget_samples(part)
                # The mean of all samples is not what enters the loss.
                part.value = None

    def _mean_of_sum(self, batch: TrainBatch, reading: graph.Reading[CriterionCall]) -> TrainBatch:
        """A summed criterion divided by a number of what it sums is a mean, and no other division.

        Such a divisor (a batch size, a number of tokens) may be a constant, and the last batch
        smaller. Beside other terms a sum stays one where it enters as it is; with any other
        factor the loss is neither the sum over the samples nor their mean.
        """
        if batch.reduction != "sum" or not batch.size:
            return batch
        factor = graph.factor_of(reading, self._criteria.waiting)
        batch.as_read = (reading.divisor, reading.exact, factor)
        counts = {batch.size, *(_common([part.counts for part in batch.parts]) or ())}
        if batch.divisor != 1 and (batch.whole or factor == 1):
            if batch.divisor in counts:
                if batch.divisor == batch.size:
                    self._sizes[id(batch.site)] = batch.divisor
                become_mean(batch, int(batch.divisor), 1.0)
            elif self._sizes.get(id(batch.site)) == batch.divisor and batch.whole:
                batch.ragged = True
        elif not batch.whole and factor is not None:
            size = next((c for c in counts if abs(factor * c - 1) < _ROUNDING), None)
            if size is not None:
                become_mean(batch, size, batch.divisor)
            elif factor != 1:
                batch.reduction = "mixed"
        elif not batch.whole:
            batch.reduction = "mixed"
        return batch

    def _of_one_call(self, event: BackwardStarted, site: Site) -> TrainBatch | None:
        """Return the batch of a loss that is a criterion's very result, as most are."""
        tensor, waiting = event.tensors[0] if len(event.tensors) == 1 else None, self._criteria
        node = None if tensor is None or event.gradients[0] is not None else tensor.grad_fn
        call = waiting.waiting.get(node._sequence_nr()) if node is not None else None
        if tensor is None or call is None or call.size is None or call.reduction == "none":
            return None
        if tensor.dim() or call.divisor != 1:
            return None
        waiting.fed_training([call])
        batch = TrainBatch(
            site, self._value_of(tensor), 1.0, call.size, [call], call.reduction, whole=True
        )
        batch.weight = call.weight
        return batch

    def _before_scaling(self, event: BackwardStarted) -> tuple[Any, Value | None] | None:
        """Return node and value of the loss that was scaled; None where it is no scaled one."""
        tensor = event.tensors[0] if len(event.tensors) == 1 else None
        for scaled, node, value in self._scaled:
            if scaled() is tensor is not None:
                return node, value
        return None

    def _loss_of(self, event: BackwardStarted) -> tuple[Any, Value | None]:
        """Return the node to read from, and the loss."""
        if len(event.tensors) != 1:
            return None, self._total(event)
        tensor, gradient = event.tensors[0], event.gradients[0]
        if tensor.is_complex():
            return tensor.grad_fn, None
        if gradient is None:
            return tensor.grad_fn, self._value_of(tensor) if tensor.numel() == 1 else None
        return tensor.grad_fn, self._weighted(tensor, gradient)

    def _total(self, event: BackwardStarted) -> Value | None:
        """Return the sum of several losses given to one `torch.autograd.backward`."""
        if not event.tensors or any(t.numel() != 1 for t in event.tensors):
            return None
        total: Value = 0.0
        for tensor in event.tensors:
            if (value := self._value_of(tensor)) is None:
                return None
            total = total + value
        return total

    def _weighted(self, tensor: Any, gradient: Any) -> Value | None:
        """Return what `losses.backward(gradient=weights)` minimises: the weighted sum.

        It may be a half-way result driven by somebody else's gradient, so it is taken for losses
        only where a criterion made it, or where every number gets the same weight.
        """
        if is_spread(tensor) or is_spread(gradient):
            return None
        if (
            not _is_uniform(gradient)
            and not graph.read(tensor.grad_fn, self._criteria.waiting).parts
        ):
            return None
        return self._value_of((tensor.detach() * gradient.detach()).sum())


def _common(values: list[Any]) -> Any:
    return values[0] if values and all(v == values[0] for v in values) else None


def _reduction(parts: list[CriterionCall], reduced: str) -> str:
    """Return how the loss stands to its samples: their mean, their sum, or not known (`mixed`).

    `reduced` is the person's own reduction of criteria that left theirs out.
    """
    if not parts:
        return "mean"
    reduction = _common([part.reduction for part in parts])
    return (reduced if reduction == "none" else reduction) or "mixed"


def _are_apart(parts: list[CriterionCall]) -> bool:
    """Whether one place has compared several targets: of sample after sample, say."""
    places = {(id(part.site), part.target_key) for part in parts}
    return len(places) > len({id(part.site) for part in parts})


def _is_uniform(weights: Any) -> bool:
    return weights.device.type == "cpu" and bool((weights == weights.reshape(-1)[0]).all())


def _reduced_by(event: BackwardStarted) -> str:
    """Return what the weights of `losses.backward(gradient=weights)` make of one loss a sample."""
    weights = event.gradients[0] if len(event.gradients) == 1 else None
    if weights is None or weights.numel() == 1 or is_spread(weights):
        return ""
    if weights.device.type != "cpu":
        # Asking what they are would wait for the device.
        return ""
    return "sum" if bool((weights == 1).all()) else "mean"


def become_mean(batch: TrainBatch, size: int, divisor: float) -> None:
    """Let a sum over `size` samples that is divided by them be a mean, divided by `divisor`."""
    batch.reduction, batch.divisor, batch.size, batch.weight = "mean", divisor, size, None
