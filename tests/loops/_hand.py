"""The notebook a careful person keeps beside a loop: numbers taken from the loop's own values."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field

import torch

# One backward is one number: nothing is averaged, so nothing may be rounded differently.
EXACT = 0.0
AVERAGED = 1e-6
NORM = 1e-4


@dataclass(frozen=True)
class Point:
    x: int
    value: float
    rtol: float


@dataclass
class Seen:
    """Sums over the batches of one pass, in double precision."""

    loss: float = 0.0
    samples: float = 0.0
    correct: int | None = None
    counted: int = 0
    outputs: list[torch.Tensor] = field(default_factory=list)
    targets: list[torch.Tensor] = field(default_factory=list)


def _default_rtol(tag: str) -> float:
    if tag.startswith(("GradNorm/", "R2/", "MAE/")):
        return NORM
    if tag.startswith(("Loss/train/", "LearningRate/", "Accuracy/")) or tag == "Loss/train":
        return EXACT
    return AVERAGED


class Hand:
    """Series by tag, written down while the loop runs."""

    def __init__(self) -> None:
        self.points: dict[str, list[Point]] = {}
        self._seen: dict[tuple[str, str | None], Seen] = {}

    def add(self, tag: str, x: int, value: float, rtol: float | None = None) -> None:
        """One point; `rtol` None takes the default of the tag's family."""
        tolerance = _default_rtol(tag) if rtol is None else rtol
        self.points.setdefault(tag, []).append(Point(int(x), float(value), tolerance))

    def mean(
        self, tag: str, x: int, values: Sequence[float], sizes: Sequence[int] | None = None
    ) -> None:
        """One point: the mean of `values`, weighted by `sizes`."""
        weights = [1] * len(values) if sizes is None else list(sizes)
        total = sum(value * weight for value, weight in zip(values, weights, strict=True))
        self.add(tag, x, total / sum(weights), rtol=AVERAGED)

    def gradient_norm(
        self,
        x: int,
        parameters: Iterable[torch.Tensor],
        tag: str = "GradNorm/total",
        scale: float = 1.0,
    ) -> None:
        """L2 norm of the gradients as they are now, divided by `scale`."""
        self.add(tag, x, norm_of([p.grad for p in parameters if p.grad is not None]) / scale)

    def learning_rates(
        self, x: int, optimizer: torch.optim.Optimizer, stream: str | None = None
    ) -> None:
        """The rate of every group as it is now."""
        prefix = "LearningRate/" if stream is None else f"LearningRate/{stream}/"
        for index, group in enumerate(optimizer.param_groups):
            self.add(f"{prefix}group{index}", x, float(group["lr"]))

    def step(
        self,
        x: int,
        loss: float | Sequence[float],
        optimizer: torch.optim.Optimizer,
        stream: str | None = None,
        *,
        sizes: Sequence[int] | None = None,
        rtol: float | None = None,
        scale: float = 1.0,
    ) -> None:
        """Loss, gradient norm and rates of one step; call it where gradients are final, unclipped.

        A list of losses are micro-batches: their mean, weighted by `sizes`. `scale` is what the
        gradients are still multiplied by.
        """
        suffix = "" if stream is None else f"/{stream}"
        if isinstance(loss, Sequence):
            self.mean(f"Loss/train{suffix}", x, loss, sizes)
        else:
            self.add(f"Loss/train{suffix}", x, loss, rtol)
        self.gradient_norm(x, parameters_of(optimizer), f"GradNorm/total{suffix}", scale)
        self.learning_rates(x, optimizer, stream)

    def saw(
        self,
        phase: str,
        loss: float | None,
        size: float,
        stream: str | None = None,
        *,
        correct: int | torch.Tensor | None = None,
        counted: int | None = None,
        output: torch.Tensor | None = None,
        target: torch.Tensor | None = None,
    ) -> None:
        """One batch of a pass: its mean loss, its number of samples, and what the scores need.

        `counted` is the number of answers where it differs from `size` (tokens, pixels, labels).
        """
        seen = self._seen.setdefault((phase, stream), Seen())
        seen.samples += size
        seen.loss += float("nan") if loss is None else float(loss) * size
        if correct is not None:
            seen.correct = (seen.correct or 0) + int(correct)
            seen.counted += int(size) if counted is None else counted
        if output is not None and target is not None:
            seen.outputs.append(output.detach().double().cpu().clone())
            seen.targets.append(target.detach().double().cpu().clone())

    def end(self, phase: str, x: int, stream: str | None = None, *, loss: bool = True) -> None:
        """The pass is over: its loss, accuracy, R2 and MAE, as far as its batches gave them."""
        seen = self._seen.pop((phase, stream))
        suffix = "" if stream is None else f"/{stream}"
        if loss:
            name = "train_epoch" if phase == "train" else phase
            self.add(f"Loss/{name}{suffix}", x, seen.loss / seen.samples)
        if seen.correct is not None:
            self.add(f"Accuracy/{phase}{suffix}", x, 100.0 * seen.correct / seen.counted)
        if seen.outputs:
            r2, mae = regression_scores(seen.outputs, seen.targets)
            self.add(f"R2/{phase}{suffix}", x, r2)
            self.add(f"MAE/{phase}{suffix}", x, mae)


def parameters_of(optimizer: torch.optim.Optimizer) -> list[torch.Tensor]:
    return [p for group in optimizer.param_groups for p in group["params"]]


def norm_of(gradients: Iterable[torch.Tensor]) -> float:
    """L2 norm over all gradients, in double precision; sparse and complex ones too."""
    squares = 0.0
    for gradient in gradients:
        dense = gradient.detach().to_dense() if gradient.is_sparse else gradient.detach()
        wide = dense.to(torch.complex128 if dense.is_complex() else torch.float64)
        squares += float((wide.abs() ** 2).sum())
    return float(squares**0.5)


def regression_scores(
    outputs: Sequence[torch.Tensor], targets: Sequence[torch.Tensor]
) -> tuple[float, float]:
    """R2 (weighted by variance over the output columns) and mean absolute error of a pass."""
    rows = [
        out.reshape(out.shape[0], -1) if out.dim() > 1 else out.reshape(-1, 1) for out in outputs
    ]
    output = torch.cat(rows)
    target = torch.cat([t.reshape(row.shape) for t, row in zip(targets, rows, strict=True)])
    residual = ((output - target) ** 2).sum()
    spread = ((target - target.mean(0)) ** 2).sum()
    return float(1 - residual / spread), float((output - target).abs().mean())
