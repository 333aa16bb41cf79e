"""Streams: one optimizer each, or one variable that holds optimizers in turn."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import TYPE_CHECKING
from weakref import ref

from autotrack.timeline import EpochCounter, Stretch

if TYPE_CHECKING:
    from collections.abc import Callable

    from torch import Tensor
    from torch.optim import Optimizer

    from autotrack.events import TrainBatch
    from autotrack.loopscope import Site

_PER_STREAM = (
    "Loss/train",
    "GradNorm/",
    "Accuracy/train",
    "R2/train",
    "MAE/train",
    "UpdateRatio/",
    "Throughput/",
    "autotrack/",
)

# Two that are trained in turn, an epoch each, have not done so many by the other's first step.
_SEVERAL = 2


@dataclass(slots=True, eq=False, repr=False)
class Stream:
    """One line of training: its optimizer, its completed steps, and the backward calls that wait.

    `leaves` stand in for an optimizer's parameters where weights are updated by hand.
    """

    name: str
    optimizer: ref[Optimizer] | None
    leaves: list[ref[Tensor]] = field(default_factory=list)
    # What the optimizers of the trainings before this one were called.
    earlier: list[str] = field(default_factory=list)
    steps: int = 0
    pending: list[TrainBatch] = field(default_factory=list)
    # Inside `step(closure)`: whether we are, and whether the first evaluation is over.
    in_closure: bool = False
    first_evaluation_over: bool = False
    stepped: bool = False
    clipped: bool = False
    # A backward came after the clipping: what was read before it belongs to no step.
    clipped_too_early: bool = False
    orphan: bool = False
    # Gradients that waited for a step were discarded since the last one.
    cleared: bool = False
    # The variable that holds the optimizer, its frame where that is one that suspends, the
    # namespace it was found in, and whether the person handed it over. `looked_for`: when it was
    # gone, another in its place has been looked for. `covered`: another optimizer steps for all of
    # its weights, so it stands around that one or was replaced by it.
    variable: str | None = None
    frame: int = 0
    scope: object = None
    given: bool = False
    looked_for: bool = False
    covered: bool = False
    # Whether another one had stepped by the time that this one was met.
    late: bool = False
    # Where the last backward was that it stepped on, and the epochs it had when its optimizer came.
    site: Site | None = None
    epochs_before: int = 0
    # The weights of its optimizer as it was made, those of the last one that stepped before it and
    # the steps by then; how many trainings there have been, one after another and each of weights
    # that are all new, and whether one begins with the next step.
    weights: list[ref[Tensor]] = field(default_factory=list)
    former: list[ref[Tensor]] = field(default_factory=list)
    taken_over: int = 0
    trainings: int = 1
    begins_anew: bool = False
    clock: EpochCounter = field(default_factory=EpochCounter)
    stretch: Stretch = field(default_factory=Stretch)
    epoch: int | None = None
    epochs: int = 0
    marked: int | None = None
    # The steps when the running epoch was entered, and whether the one before it was a single step.
    entered: int = 0
    after_one_step: bool = False
    # The last epoch's number, as the record has it.
    said_last: int | None = None
    # Batches of the running pass, and whether passes stand at steps though epochs are known now.
    batches_seen: int = 0
    by_steps: bool = False
    suffix: str | None = None

    def parameters(self) -> list[Tensor]:
        """Return the parameters that the optimizer holds now, so later groups are seen."""
        optimizer = self.optimizer() if self.optimizer is not None else None
        if optimizer is not None:
            groups = optimizer.param_groups
            if len(groups) == 1 and not self.leaves:
                return list(groups[0]["params"])
            held = [parameter for group in groups for parameter in group["params"]]
        elif self.optimizer is not None and self.variable is None:
            # No variable held it, so that another one may come for them.
            held = [weight for known in self.weights if (weight := known()) is not None]
        else:
            held = []
        return held + [tensor for leaf in self.leaves if (tensor := leaf()) is not None]

    def take_over(
        self, optimizer: Optimizer, of_one_model: Callable[[set[int], set[int]], bool]
    ) -> None:
        """Go on with another optimizer, of the same model's weights or of another's.

        `of_one_model` says whether a model has parameters of both sets of `id`.
        """
        given = [parameter for group in optimizer.param_groups for parameter in group["params"]]
        if self.steps > self.taken_over:
            self.former, self.taken_over = self.weights + self.leaves, self.steps
        if self.steps:
            known = {id(weight) for known in self.former if (weight := known()) is not None}
            ids = {id(parameter) for parameter in given}
            self.begins_anew = known.isdisjoint(ids) and not of_one_model(known, ids)
        self.weights = [ref(parameter) for parameter in given]
        self.optimizer, self.leaves, self.looked_for = ref(optimizer), [], False
        self.epochs_before = self.epochs

    @property
    def is_gone(self) -> bool:
        """Whether its optimizer, which a variable held, is gone, and nobody has looked for more."""
        held = self.optimizer is not None and self.variable is not None and not self.looked_for
        return held and self.optimizer() is None  # type: ignore[misc]

    @property
    def enters_anew(self) -> bool:
        """Whether a new model is about to enter its first epoch."""
        # Weights that are moved by hand step with the very backward that enters.
        entered = self.optimizer is not None and self.epochs > self.epochs_before
        return self.begins_anew and not entered

    def is_over(self, other: Stream, site: Site) -> bool:
        """Whether what `other` trains at `site` follows this training, and goes on not beside it.

        It stands in other loops, in which this one's optimizer has no part. In the same ones it may
        be of a new model, which comes when whole epochs have gone by.
        """
        if self.site is None or not (self.site.loops and site.loops):
            return False
        if self.variable != other.variable and any(
            loop.mentions(self.variable) for loop in site.loops
        ):
            return False
        anew = not self.holds_any(other.parameters())
        if not (other.late if anew else other.late or other.covered):
            # Made together.
            return False
        if self.site.shares_loop(site):
            return anew and self.epochs - self.epochs_before >= _SEVERAL
        return True

    def holds_any(self, tensors: list[Tensor]) -> bool:
        """Whether any of `tensors` is a parameter of this stream."""
        wanted = {id(tensor) for tensor in tensors}
        return any(id(parameter) in wanted for parameter in self.parameters())

    def optimizers(self) -> list[str]:
        """Return what its optimizers are called, none where weights are moved by hand."""
        called = [*self.earlier, self.name] if self.optimizer is not None else []
        return list(dict.fromkeys(called))

    @property
    def is_idle(self) -> bool:
        """Whether nothing shows that this optimizer belongs to the training."""
        return not (self.steps or self.given or self.suffix is not None or self.optimizer is None)


def tag_of(stream: Stream | None, tag: str) -> str:
    """Return `tag` with the stream's name where the run has several."""
    if stream is None or not stream.suffix:
        return tag
    if tag.startswith("LearningRate/"):
        return f"LearningRate/{stream.suffix}/{tag.partition('/')[2]}"
    return f"{tag}/{stream.suffix}" if tag.startswith(_PER_STREAM) else tag


def settle_names(streams: list[Stream]) -> None:
    """Give every stream its suffix: none for a lone one, its name when there are several.

    Called when training is well under way, at each flush, and so whenever a stream turns up later;
    a suffix once given stays, because the record is append-only. An optimizer that is merely alive
    counts where it is held beside one that is used, not one that another function or an earlier
    notebook cell has left.
    """
    used = [stream for stream in streams if not stream.is_idle]
    scopes = {stream.scope for stream in used if stream.scope is not None}
    counted = [s for s in streams if not s.is_idle or (s.scope in scopes and not s.covered)]
    counted = counted if used else []
    lone = len(counted) == 1
    for stream in counted:
        if stream.suffix is None:
            stream.suffix = "" if lone else stream.name


def gradient_marks(stream: Stream) -> list[tuple[int, int]]:
    """Return what changes when a backward reaches any of a stream's parameters."""
    return marks_of(stream.parameters())


def marks_of(parameters: list[Tensor]) -> list[tuple[int, int]]:
    """Return what changes when a backward reaches a parameter: its gradient and its version."""
    gradients = [parameter.grad for parameter in parameters]
    return [(0, 0) if g is None else (id(g), g._version) for g in gradients]
