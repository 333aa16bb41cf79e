"""Gradient norms: before clipping (`GradNorm/total`) and after (`GradNorm/clipped`)."""

from __future__ import annotations

import math
from functools import partial
from operator import truediv
from typing import TYPE_CHECKING, Any, ClassVar

import torch

from autotrack.events import GradientsBeforeClipping, GradientsReady, StepSkipped, StepTaken
from autotrack.metrics._metric import Metric, Surroundings
from autotrack.metrics._norms import (
    all_on_cpu,
    norm_of,
    norms_of,
    together,
)
from autotrack.metrics._norms_of_steps import NormsOfSteps
from autotrack.metrics._shards import any_spread, shard_norms
from autotrack.pending import Pending, when_known

if TYPE_CHECKING:
    from weakref import ref

    from autotrack.keeper import Keeper
    from autotrack.row import Value

_SPARSE = "sparse gradients on a device are not summed up, and asking for their rows would wait"


class GradientNorm(Metric):
    """The L2 norm over all parameters of a stream, unscaled."""

    listens: ClassVar[dict[type, str]] = {
        GradientsBeforeClipping: "before_clipping",
        GradientsReady: "ready",
        StepTaken: "step_taken",
        StepSkipped: "step_skipped",
    }
    optional: ClassVar[bool] = True

    def __init__(self, surroundings: Surroundings) -> None:
        super().__init__(surroundings)
        self._before: dict[Any, Value | None] = {}
        self._final: dict[Any, Value | None] = {}
        self._shards: dict[Any, dict[str, Any]] = {}
        self._layers: dict[Any, tuple[list[str], Any]] = {}
        # On a device the norm of each gradient comes home too: it tells which was not finite.
        self._each: dict[Any, tuple[list[torch.Tensor], Any]] = {}
        # Streams whose next step the budget leaves out: settled when the one before is taken, so
        # that a step has both its norms or neither.
        self._resting: set[Any] = set()

    def settle(self, pattern: Any) -> Keeper:
        """Keep the norms as they come."""
        return NormsOfSteps(self, pattern)

    def rests(self, stream: Any) -> bool:
        """Whether the budget leaves out the norm of a stream's next step."""
        return stream in self._resting

    def take_over(self, stream: Any, *, rests: bool) -> None:
        """Go on where another has watched a stream; `rests` is decided about its next step."""
        (self._resting.add if rests else self._resting.discard)(stream)

    def leave_norm(self, stream: Any, norm: Any, each: Any = None) -> None:
        """Take the norm of a step under way, and on a device those of each gradient."""
        self._final[stream] = norm
        if each is not None:
            self._each[stream] = each

    def leave_norm_before(self, stream: Any, norm: Any, each: Any = None) -> None:
        """Take the norm before the clipping in a step under way, as above."""
        self._before[stream] = norm
        if each is not None:
            self._each[stream] = each

    def noted(
        self,
        parameters: list[ref[torch.Tensor]],
        first: int,
        index: int,
        total: float,
        each: list[float],
    ) -> None:
        """Note a norm that has come home and is not finite, of step `first` + `index`."""
        living = [p if (p := known()) is not None else torch.empty(0) for known in parameters]
        self._checked(first + index, living, total, each)

    def before_clipping(self, moment: GradientsBeforeClipping) -> None:
        """Take the norm just before gradients are clipped."""
        if moment.stream in self._resting:
            return
        gradients = gradients_of(moment.stream)
        if any_spread(gradients):
            self._take_shards(moment.stream, gradients, "before", moment.scale)
            return
        norm = self._norm(moment.stream, gradients)
        self._before[moment.stream] = self._unscaled(norm, moment.scale)
        # What was taken as final before this clipping is not what the step uses.
        self._final.pop(moment.stream, None)

    def ready(self, moment: GradientsReady) -> None:
        """Take the norm of the gradients that the step uses."""
        stream = moment.stream
        rests = stream in self._resting
        if rests and not moment.snapshot:
            return
        optimizer = stream.optimizer() if stream.optimizer is not None else None
        scale = getattr(optimizer, "grad_scale", None)
        gradients = gradients_of(stream)
        if rests:
            if not any_spread(gradients):
                self._layers[stream] = self._by_parameter(stream, scale)
            return
        if any_spread(gradients):
            self._take_shards(stream, gradients, "final", scale)
            known = self._shards.get(stream, {})
            if moment.clipped_too_early and "final" in known:
                known["before"] = known["final"]
            return
        norm = self._norm(stream, gradients)
        self._final[stream] = final = norm if scale is None else self._unscaled(norm, scale)
        if moment.snapshot:
            self._layers[stream] = self._by_parameter(stream, scale)
        if moment.clipped_too_early:
            # What was clipped were not the gradients of this step.
            self._before[stream] = final

    def step_taken(self, moment: StepTaken) -> None:
        """Write the norms of the step."""
        stream = moment.stream
        self._settle_next(stream, moment.step + 1)
        if self._shards:
            self._write_shards(moment, self._shards.pop(stream, {}))
        final, before = self._final.pop(stream, None), self._before.pop(stream, None)
        total = before if before is not None else final
        names, layers = self._layers.pop(stream, ([], None))
        each = self._each.pop(stream, None)
        if layers:
            self.surroundings.write_vector(
                moment.row, stream, names, "autotrack/gradient_norm", layers
            )
        if total is None:
            return
        if each is not None and isinstance(total, Pending):
            total = when_known(partial(self._checked, moment.step, each[0]), total, each[1])
        moment.row.add("GradNorm/total", total)
        if before is not None and final is not None:
            moment.row.add("GradNorm/clipped", final)
        if isinstance(total, float) and not math.isfinite(total):
            self._name_the_first(moment)

    def _settle_next(self, stream: Any, step: int) -> None:
        every = self.surroundings.intervals.get("gradient_norm", 1)
        if every > 1 and step % every:
            self._resting.add(stream)
        elif self._resting:
            self._resting.discard(stream)

    def step_skipped(self, moment: StepSkipped) -> None:
        """Forget the norms of a step that did not happen."""
        self._before.pop(moment.stream, None)
        self._final.pop(moment.stream, None)
        self._shards.pop(moment.stream, None)
        self._layers.pop(moment.stream, None)
        self._each.pop(moment.stream, None)

    def _by_parameter(self, stream: Any, scale: Any) -> tuple[list[str], Any]:
        """Return names and norms of the gradients as the step uses them, NaN without one."""
        named = [(name, _dense(p)) for name, p in self.surroundings.named(stream)]
        norms = norms_of([g for _, g in named if g is not None], self.surroundings.transfer)
        if norms is None:
            return [], None
        absent = [gradient is None for _, gradient in named]
        divisor = 1.0 if scale is None else self._number(scale)
        return [name for name, _ in named], when_known(partial(_spaced, absent), norms, divisor)

    def _take_shards(
        self, stream: Any, gradients: list[torch.Tensor], when: str, scale: Any
    ) -> None:
        """Take what this process's shards add to the norm, where several hold the gradients."""
        values = shard_norms(gradients, self._norm_of)
        why = "gradients are spread over several processes; their norms are put together from all "
        why += 'ranks\' records: ranks="all", then read the directory above rank0'
        if values is not None and scale is not None:
            number = self._number(scale)
            values = [values[0] / number, values[1] / number, values[2]]
        for tag in ("GradNorm/total", "GradNorm/clipped")[: 1 + (when == "before")]:
            self.surroundings.absent[tag] = why
        if values is not None:
            self._shards.setdefault(stream, {})[when] = values

    def _write_shards(self, moment: StepTaken, shards: dict[str, Any]) -> None:
        final, before = shards.get("final"), shards.get("before")
        total = before if before is not None else final
        if total is not None:
            moment.row.hidden.append(("autotrack/shards/GradNorm/total", total))
        if before is not None and final is not None:
            moment.row.hidden.append(("autotrack/shards/GradNorm/clipped", final))

    def _name_the_first(self, moment: StepTaken) -> None:
        if not self._is_first():
            return
        for name, parameter in self.surroundings.named(moment.stream):
            gradient = _dense(parameter)
            if gradient is not None and not bool(gradient.isfinite().all()):
                self.surroundings.nonfinite["GradNorm/total"] = {
                    "step": moment.step,
                    "parameter": name,
                }
                return

    def _checked(
        self, step: int, parameters: list[torch.Tensor], total: float, each: list[float]
    ) -> float:
        """Return a norm that has come home; the first that is not finite is noted."""
        if not math.isfinite(total) and self._is_first():
            first = next((i for i, norm in enumerate(each) if not math.isfinite(norm)), None)
            if first is not None:
                name = self.surroundings.parameter_name(parameters[first]) or str(first)
                self.surroundings.nonfinite["GradNorm/total"] = {"step": step, "parameter": name}
        return total

    def _is_first(self) -> bool:
        """Whether a norm that is not finite is the first; after steps left out nobody knows."""
        every = self.surroundings.intervals.get("gradient_norm", 1)
        return every == 1 and "GradNorm/total" not in self.surroundings.nonfinite

    def _norm(self, stream: Any, gradients: list[torch.Tensor]) -> Value | None:
        if all_on_cpu(gradients):
            return norm_of(gradients)
        each = norms_of(gradients, self.surroundings.transfer)
        if each is None:
            self.surroundings.absent["GradNorm/total"] = _SPARSE
            return None
        self._each[stream] = [p for p in stream.parameters() if p.grad is not None], each
        total: Value = when_known(together, each)
        return total

    def _norm_of(self, tensors: list[torch.Tensor]) -> Value | None:
        return norm_of(tensors, self.surroundings.transfer)

    def _unscaled(self, norm: Value | None, scale: Any) -> Value | None:
        if norm is None or scale is None:
            return norm
        freed: Value = when_known(truediv, norm, self._number(scale))
        return freed

    def _number(self, scale: Any) -> Value:
        return self.surroundings.transfer.value(scale) if hasattr(scale, "device") else scale


def gradients_of(stream: Any) -> list[torch.Tensor]:
    """Return the gradients that a stream's parameters hold, as plain tensors of their values."""
    found: list[torch.Tensor] = []
    for parameter in stream.parameters():
        gradient = parameter.grad
        if gradient is None:
            continue
        # Detaching costs as much as the norm of a small tensor.
        if gradient.requires_grad or gradient.layout is not torch.strided:
            gradient = _dense(parameter)
        found.append(gradient)
    return found


def _dense(parameter: torch.Tensor) -> torch.Tensor | None:
    """Return a parameter's gradient as a plain tensor of its values, detached; None without one.

    A sparse one on a device stays sparse unless its rows are summed up already.
    """
    gradient = parameter.grad
    if gradient is None:
        return None
    gradient = gradient.detach()
    if gradient.layout != torch.sparse_coo:
        return gradient
    if gradient.device.type != "cpu" and not gradient.is_coalesced():
        # Summing up its rows would wait for the device.
        return gradient
    return gradient.coalesce().values()


def _spaced(absent: list[bool], norms: list[float], scale: float) -> list[float]:
    """Return the norms freed of their scale, with NaN at the places of those that are absent."""
    present = iter(norms)
    return [math.nan if missing else next(present) / scale for missing in absent]
