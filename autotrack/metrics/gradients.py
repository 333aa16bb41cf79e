"""Gradient norms: before clipping (`GradNorm/total`) and after (`GradNorm/clipped`)."""

from __future__ import annotations

import math
from typing import TYPE_CHECKING, Any, ClassVar

import torch

from autotrack.events import GradientsBeforeClipping, GradientsReady, StepSkipped, StepTaken
from autotrack.metrics._metric import Metric, Surroundings
from autotrack.metrics._shards import is_spread, shard_norms

if TYPE_CHECKING:
    from collections.abc import Iterable

    from autotrack.row import Value

_LONGEST_SUM = 2**16

# Below this norm, squares of elements that matter may vanish in single precision.
_SAFE = 1e-15


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
        self._layers: dict[Any, dict[str, float]] = {}

    def before_clipping(self, moment: GradientsBeforeClipping) -> None:
        """Take the norm just before gradients are clipped."""
        if self._take_shards(moment.stream, "before", moment.scale):
            return
        self._before[moment.stream] = _unscaled(self._norm(moment.stream), moment.scale)
        # What was taken as final before this clipping is not what the step uses.
        self._final.pop(moment.stream, None)

    def ready(self, moment: GradientsReady) -> None:
        """Take the norm of the gradients that the step uses."""
        optimizer = moment.stream.optimizer() if moment.stream.optimizer is not None else None
        if self._take_shards(moment.stream, "final", getattr(optimizer, "grad_scale", None)):
            known = self._shards.get(moment.stream, {})
            if moment.clipped_too_early and "final" in known:
                known["before"] = known["final"]
            return
        norm = self._norm(moment.stream)
        scale = getattr(optimizer, "grad_scale", None)
        self._final[moment.stream] = final = _unscaled(norm, scale)
        if moment.snapshot:
            self._layers[moment.stream] = self._by_parameter(moment.stream, scale)
        if moment.clipped_too_early:
            # What was clipped were not the gradients of this step.
            self._before[moment.stream] = final

    def step_taken(self, moment: StepTaken) -> None:
        """Write the norms of the step."""
        stream = moment.stream
        self._write_shards(moment, self._shards.pop(stream, {}))
        final, before = self._final.pop(stream, None), self._before.pop(stream, None)
        total = before if before is not None else final
        layers = self._layers.pop(stream, {})
        if total is None:
            return
        if layers:
            self.surroundings.write_vector(
                moment.row, stream, list(layers), "autotrack/gradient_norm", list(layers.values())
            )
        moment.row.add("GradNorm/total", total)
        if before is not None and final is not None:
            moment.row.add("GradNorm/clipped", final)
        if isinstance(total, float) and not math.isfinite(total):
            self._name_the_first(moment)

    def step_skipped(self, moment: StepSkipped) -> None:
        """Forget the norms of a step that did not happen."""
        self._before.pop(moment.stream, None)
        self._final.pop(moment.stream, None)
        self._shards.pop(moment.stream, None)
        self._layers.pop(moment.stream, None)

    def _by_parameter(self, stream: Any, scale: Any) -> dict[str, float]:
        """Return the norm of each parameter's gradient as the step uses it, NaN without one."""
        norms = {}
        for name, parameter in self.surroundings.named(stream):
            gradient = _dense(parameter)
            norm = None if gradient is None else _unscaled(norm_of([gradient]), scale)
            norms[name] = math.nan if norm is None else float(norm)
        return norms

    def _take_shards(self, stream: Any, when: str, scale: Any) -> bool:
        """Take what this process's shards add to the norm, where several hold the gradients."""
        gradients = gradients_of(stream)
        if not any(is_spread(g) for g in gradients):
            return False
        values = shard_norms(gradients, norm_of)
        why = "gradients are spread over several processes; their norms are put together from all "
        why += 'ranks\' records: ranks="all", then read the directory above rank0'
        if scale is not None:
            # The scale would have to be taken from each number: nobody has asked for that yet.
            values, why = None, "gradients are both spread over processes and scaled"
        for tag in ("GradNorm/total", "GradNorm/clipped")[: 1 + (when == "before")]:
            self.surroundings.absent[tag] = why
        if values is not None:
            self._shards.setdefault(stream, {})[when] = values
        return True

    def _write_shards(self, moment: StepTaken, shards: dict[str, Any]) -> None:
        final, before = shards.get("final"), shards.get("before")
        total = before if before is not None else final
        if total is not None:
            moment.row.hidden.append(("autotrack/shards/GradNorm/total", total))
        if before is not None and final is not None:
            moment.row.hidden.append(("autotrack/shards/GradNorm/clipped", final))

    def _name_the_first(self, moment: StepTaken) -> None:
        if "GradNorm/total" in self.surroundings.nonfinite:
            return
        for name, parameter in self.surroundings.named(moment.stream):
            gradient = _dense(parameter)
            if gradient is not None and not bool(gradient.isfinite().all()):
                self.surroundings.nonfinite["GradNorm/total"] = {
                    "step": moment.step,
                    "parameter": name,
                }
                return

    def _norm(self, stream: Any) -> Value | None:
        return norm_of(gradients_of(stream))


def gradients_of(stream: Any) -> list[torch.Tensor]:
    """Return the gradients that a stream's parameters hold, as plain tensors of their values."""
    return [g for p in stream.parameters() if (g := _dense(p)) is not None]


def norm_of(tensors: list[torch.Tensor]) -> Value | None:
    """Return the L2 norm over all elements of `tensors`; None without any."""
    if not tensors or any(is_spread(t) for t in tensors):
        return None
    if any(t.device.type != "cpu" for t in tensors):
        return _norm_on_device(tensors)
    square = 0.0
    for piece in (piece for tensor in tensors for piece in _pieces(tensor)):
        norm = torch.linalg.vector_norm(piece, dtype=_wide(piece)).item()
        if not _SAFE < norm < math.inf and not piece.is_complex():
            # The squares of finite numbers, of vanishing ones too, may not fit single precision:
            # once more in double.
            norm = torch.linalg.vector_norm(piece, dtype=torch.float64).item()
        square += norm * norm
    return math.nan if math.isnan(square) else math.sqrt(square)


def _pieces(tensor: torch.Tensor) -> Iterable[torch.Tensor]:
    # On the CPU a long sum in single precision drifts: by 4e-5 over 600 thousand squares, by 3e-3
    # over 40 million, an embedding's size.
    if tensor.numel() <= _LONGEST_SUM or not tensor.is_contiguous():
        return (tensor,)
    return torch.split(tensor.detach().view(-1), _LONGEST_SUM)


def _wide(tensor: torch.Tensor) -> torch.dtype | None:
    # The square of a half-precision number overflows long before the number does.
    return torch.float32 if tensor.dtype in (torch.float16, torch.bfloat16) else None


def _norm_on_device(tensors: list[torch.Tensor]) -> Value:
    home = next(t.device for t in tensors if t.device.type != "cpu")
    norms = [n.float().to(home, non_blocking=True) for n in torch._foreach_norm(tensors)]
    norm: torch.Tensor = torch.linalg.vector_norm(torch.stack(norms))
    return norm


def _dense(parameter: torch.Tensor) -> torch.Tensor | None:
    """Return a parameter's gradient as a plain tensor of its values, detached; None without one."""
    gradient = parameter.grad
    if gradient is None:
        return None
    gradient = gradient.detach()
    return gradient.coalesce().values() if gradient.layout == torch.sparse_coo else gradient


def _unscaled(norm: Value | None, scale: Any) -> Value | None:
    if norm is None or scale is None:
        return norm
    if isinstance(scale, torch.Tensor) and scale.device.type == "cpu":
        scale = scale.item()
    return norm / scale  # type: ignore[no-any-return]
