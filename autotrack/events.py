"""What happened. An event holds live objects and dies when the run has looked at it.

Observers make the first group from what PyTorch does. The capture turns them into the second
group, the moments, which carry numbers (step, epoch, phase) and are what metrics listen to.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from torch import Tensor, nn
    from torch.optim import Optimizer

    from autotrack.row import Row, Value

# -- what PyTorch did ---------------------------------------------------------------------------


@dataclass(slots=True, eq=False, repr=False)
class LoaderStarted:
    """`iter(loader)` was called."""

    loader: Any


@dataclass(slots=True, eq=False, repr=False)
class BatchLoaded:
    """A loader handed out a batch after `seconds` of waiting for it."""

    loader: Any
    batch: Any
    seconds: float = 0.0


@dataclass(slots=True, eq=False, repr=False)
class LoaderFinished:
    """A loader had no more batches."""

    loader: Any


@dataclass(slots=True, eq=False, repr=False)
class ModelCalled:
    """A root model was called with `args` and returned `output`.

    `alike` says that it is none, but of the same make.
    """

    module: nn.Module
    output: Any
    args: tuple[Any, ...] = ()
    alike: bool = False


@dataclass(slots=True, eq=False, repr=False)
class FeaturesSeen:
    """A model's last linear layer is about to take `features`; a metric may listen to this one."""

    features: Any


@dataclass(slots=True, eq=False, repr=False)
class LossComputed:
    """A criterion was called: the outermost loss function, or a person's own criterion."""

    function: str
    loss: Tensor
    prediction: Any
    target: Any
    reduction: str
    ignore_index: int | None = None
    size: int | None = None
    # What the function divides the kernel's loss by before it returns (`batchmean`).
    divisor: float = 1.0
    own: bool = False


@dataclass(slots=True, eq=False, repr=False)
class CriterionEntered:
    """A person's own criterion module begins: losses computed inside it are its business."""


@dataclass(slots=True, eq=False, repr=False)
class LossScaled:
    """`GradScaler.scale(loss)` returned `scaled`."""

    scaler: Any
    loss: Tensor
    scaled: Tensor


@dataclass(slots=True, eq=False, repr=False)
class BackwardStarted:
    """`backward` is about to run on `tensors`; their graph is still alive."""

    tensors: tuple[Tensor, ...]
    gradients: tuple[Tensor | None, ...]


@dataclass(slots=True, eq=False, repr=False)
class BackwardDone:
    """The backward that started last has run to its end, or raised (`completed` is False)."""

    completed: bool = True


@dataclass(slots=True, eq=False, repr=False)
class GradientsAsked:
    """`torch.autograd.grad` is about to take gradients of what these nodes made."""

    nodes: list[Any]


@dataclass(slots=True, eq=False, repr=False)
class ClippingStarted:
    """Gradients of `parameters` are about to be clipped."""

    parameters: Any


@dataclass(slots=True, eq=False, repr=False)
class GradientsZeroed:
    """`zero_grad` is about to clear the gradients of an optimizer or a module."""

    owner: Optimizer | nn.Module


@dataclass(slots=True, eq=False, repr=False)
class StepStarted:
    """`optimizer.step` begins: gradients are final, weights are old."""

    optimizer: Optimizer
    closure: bool = False


@dataclass(slots=True, eq=False, repr=False)
class StepDone:
    """`optimizer.step` has run: weights are new."""

    optimizer: Optimizer


@dataclass(slots=True, eq=False, repr=False)
class ScalerStepDone:
    """`GradScaler.step(optimizer)` returned, whether or not the optimizer stepped."""

    scaler: Any
    optimizer: Optimizer


# -- what it means ------------------------------------------------------------------------------


@dataclass(slots=True, eq=False, repr=False)
class CriterionCall:
    """What is kept of one criterion call: numbers and identities, no tensor of the person's."""

    function: str
    value: Value | None
    size: int | None
    reduction: str
    node: int | None
    site: Any
    divisor: float = 1.0
    scores: dict[str, Any] = field(default_factory=dict)
    # Where training stood at the call, for one that only later turns out to be evaluation.
    position: Any = None
    prediction_key: int = 0
    target_key: int = 0
    # Whether a backward led to it.
    fed: bool = False
    # Of a sum: what it may be divided by to be a mean, and how many targets it counts where only a
    # device knows.
    counts: tuple[int, ...] = ()
    weight: Value | None = None
    # Whether a person's own criterion was called, and whether a module that is none called this.
    own: bool = False
    inside: bool = False


@dataclass(slots=True, eq=False, repr=False)
class CriterionSeen:
    """A criterion was called: metrics add what they count to `call.scores`.

    `inside` a person's own criterion a count is asked for at once: that one may adopt it.
    """

    event: LossComputed
    call: CriterionCall
    inside: bool = False


@dataclass(slots=True, eq=False, repr=False)
class MayBeEvaluation:
    """The first of some criterion calls is made that may turn out to be evaluation later on."""


@dataclass(slots=True, eq=False, repr=False)
class GraphSeen:
    """The first backward at a call site is about to run: the graph of its losses is alive."""

    tensors: tuple[Tensor, ...]


@dataclass(slots=True, eq=False, repr=False)
class TrainBatch:
    """One backward call of a training loop: the loss, how many samples, and what fed it.

    `value` is the loss backward was called on, before any scaling; `divisor` the number the person
    divided by, where the graph shows one; `freed` the loss without that division, once it is known
    to be one by the number of micro-batches; `parts` the criterion calls that fed the loss; `shown`
    what the loop says about the epoch; `seen_by` the streams whose pass has seen the batch, and
    `counted_by` says for those whose mean loss has counted it in which mean, as what. `weight` is
    the number of targets a sum runs over where only a device knows it; `ragged` says that a sum was
    divided by the size of a full batch, which this one is not, or is a part of. `apart` says that
    `size` is that of each call, and that these may be of other samples each. `as_read` is what the
    graph has shown: the loss's divisor, whether it is one call's value but for that, and with which
    factor sums enter it. `scaled` says that backward was called on what a gradient scaler made of
    the loss.
    """

    site: Any
    value: Value | None
    divisor: float
    size: int | None
    parts: list[CriterionCall]
    reduction: str
    whole: bool
    weight: Value | None = None
    ragged: bool = False
    # The number of the loader's batch that `size` is of; None where a criterion gave it.
    drawn: int | None = None
    apart: bool = False
    as_read: tuple[float, bool, float | None] = (1.0, True, None)
    scaled: bool = False
    freed: Value | None = None
    shown: Any = None
    seen_by: set[int] = field(default_factory=set)
    counted_by: dict[int, Any] = field(default_factory=dict)


@dataclass(slots=True, eq=False, repr=False)
class GradientsReady:
    """A stream's gradients are final and its weights still old."""

    stream: Any
    clipped: bool
    snapshot: bool
    clipped_too_early: bool = False


class SnapshotGradients(GradientsReady):
    """`GradientsReady` once more, at snapshot steps only."""

    __slots__ = ()


@dataclass(slots=True, eq=False, repr=False)
class GradientsBeforeClipping:
    """A stream's gradients just before they are clipped."""

    stream: Any
    scale: Any = None


@dataclass(slots=True, eq=False, repr=False)
class StepBegan:
    """An optimizer is about to update: its rates are those of this step, its weights still old."""

    stream: Any
    optimizer: Any
    snapshot: bool


@dataclass(slots=True, eq=False, repr=False)
class BatchAwaited:
    """The loop waited `seconds` in a loader for its next batch."""

    seconds: float


@dataclass(slots=True, eq=False, repr=False)
class RootCalled:
    """A root model was called, in the mode in which it still is."""

    module: nn.Module


@dataclass(slots=True, eq=False, repr=False)
class BackwardAhead:
    """A backward call is about to add to the gradients of these streams."""

    streams: list[Any]


class SnapshotBegan(StepBegan):
    """`StepBegan` once more, at snapshot steps only."""

    __slots__ = ()


@dataclass(slots=True, eq=False, repr=False)
class StepSkipped:
    """A gradient scaler skipped the step: what was read for it belongs to none."""

    stream: Any


@dataclass(slots=True, eq=False, repr=False)
class StepTaken:
    """One optimizer update that happened.

    `batches` are the backward calls that fed it; in `groups`, those of one list are micro-batches
    of one batch, those of different lists are parts of one objective.
    """

    stream: Any
    step: int
    epoch: int | None
    batches: list[TrainBatch]
    groups: list[list[TrainBatch]]
    row: Row
    snapshot: bool


class SnapshotTaken(StepTaken):
    """`StepTaken` once more, at snapshot steps only."""

    __slots__ = ()


@dataclass(slots=True, eq=False, repr=False)
class TrainBatchSeen:
    """A training batch counts in its stream's running pass.

    `adds` says that its loss adds to that of another batch of the step, which brings the samples.
    """

    stream: Any
    batch: TrainBatch
    adds: bool


@dataclass(slots=True, eq=False, repr=False)
class TrainPassEnded:
    """A training epoch, or the stretch that stands for one, is over; `row` takes its values."""

    stream: Any
    row: Row


@dataclass(slots=True, eq=False, repr=False)
class EvaluationBatchSeen:
    """One batch of an evaluation pass; `batch` is what its loader gave, where it has one."""

    evaluation: Any
    call: CriterionCall
    batch: Any = None


@dataclass(slots=True, eq=False, repr=False)
class EvaluationPassEnded:
    """An evaluation pass is over; `suffix` is `_initial` before training.

    `objective` is the criterion that stands for the training objective; where it is None the pass's
    criterion calls are only parts of it.
    """

    evaluation: Any
    phase: str
    suffix: str
    objective: str | None
    row: Row


@dataclass(slots=True, eq=False, repr=False)
class OutputSeen:
    """An evaluation batch went through the model and no criterion was called on it."""

    evaluation: Any
    output: Any
    batch: Any


@dataclass(slots=True, eq=False, repr=False)
class PassDiscarded:
    """A pass that turned out to be no evaluation: what metrics counted for it is void."""

    evaluation: Any


@dataclass(slots=True, eq=False, repr=False)
class RunEnded:
    """The run is over, all its passes are closed; `row` takes what is known only now."""

    row: Row
