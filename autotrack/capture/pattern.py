"""When steps have settled: what the last one was like, where those that follow may be like it."""

from __future__ import annotations

import math
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, Any

from autotrack import events as e
from autotrack.pending import Pending
from autotrack.timeline import STRETCH

if TYPE_CHECKING:
    from weakref import ref

    from autotrack.capture.capture import Capture
    from autotrack.capture.streams import Stream
    from autotrack.loopscope import Shown, Site
    from autotrack.row import Value
    from autotrack.timeline import LoaderPass

#: Losses that say of their samples no more than how many they are: the first dimension.
_FUNCTIONS = frozenset(
    {
        "binary_cross_entropy",
        "binary_cross_entropy_with_logits",
        "cross_entropy",
        "huber_loss",
        "l1_loss",
        "mse_loss",
        "multi_margin_loss",
        "nll_loss",
        "smooth_l1_loss",
        "soft_margin_loss",
    }
)

# More backward calls before a step, or more criterion calls before a backward, are looked at one
# by one.
_MOST_BACKWARDS, _MOST_CALLS = 64, 8

#: Of these a sum is over all that the shapes show; others leave some targets out.
_SUMMED = _FUNCTIONS - {"cross_entropy", "multi_margin_loss", "nll_loss"}

#: Steps that every training takes the long way: by then its other optimizers have stepped too.
SETTLED_BY = 12


@dataclass(slots=True, eq=False, repr=False)
class Called:
    """One criterion call of each backward: of which function and size, and what it compared.

    Of a sum `counts` are the numbers that it may run over. `scores` are the metrics that count it;
    the keys tell what several calls have in common.
    """

    function: str
    size: int
    reduction: str
    counts: tuple[int, ...]
    site: Site
    scores: frozenset[str]
    prediction_key: int
    target_key: int

    def is_made_by(self, event: e.LossComputed) -> bool:
        """Whether a criterion call is this one again, by all that can be told from outside."""
        target = event.target
        if event.function != self.function or event.reduction != self.reduction:
            return False
        if not hasattr(target, "shape"):
            return False
        size = target.shape[0] if target.dim() else 1
        return size == self.size and self.counts in ((), (size, target.numel()))

    def call(
        self, value: Value | None, node: int, prediction_key: int, target_key: int
    ) -> e.CriterionCall:
        """Return such a call."""
        return e.CriterionCall(
            function=self.function,
            value=value,
            size=self.size,
            reduction=self.reduction,
            node=node,
            site=self.site,
            prediction_key=prediction_key,
            target_key=target_key,
            counts=self.counts,
        )


@dataclass(slots=True, eq=False, repr=False)
class Pattern:
    """So many `backwards` of one kind, each on what `calls` of criteria gave, then one step.

    `kind` is a backward call like each of them, `factor` with what its loss is multiplied to be
    free of the number of backward calls; `drawn` says that its size is that of a loader's batch.
    With `by_hand`, a backward call is a step, of weights that no optimizer holds. With a `scaler`,
    backward is called on what that makes of the loss.
    With `clipped`, gradients are clipped before the step, once.
    With `each`, every step is the next epoch; `shown` is that of the last whole step then.
    `variable` is the epoch's, read in the frame with `depth` of the person's frames inside it.
    `loader` gives the batches and `loader_pass` counts them. `on_device` says that losses are not
    on the CPU. `until` is the first step that may be different.
    """

    stream: Stream
    site: Site
    calls: list[Called]
    backwards: int
    kind: e.TrainBatch
    factor: float
    drawn: bool
    shown: Shown | None
    variable: str | None
    depth: int | None
    groups: int
    on_device: bool
    roots: list[ref[Any]]
    by_hand: bool = False
    scaler: Any = None
    clipped: bool = False
    each: bool = False
    loader: ref[Any] | None = None
    loader_pass: LoaderPass | None = None
    until: float = math.inf

    @property
    def is_plain(self) -> bool:
        """Whether a loss is the very result of a criterion."""
        return self.kind.as_read[:2] == (1.0, True)

    @property
    def size(self) -> int | None:
        """How many samples a backward call has."""
        return self.kind.size

    @property
    def samples(self) -> int | None:
        """How many samples a step has."""
        return None if self.size is None else self.size * self.backwards

    def scored(self, key: str) -> list[int]:
        """Return which of the calls have a score of this name."""
        return [place for place, called in enumerate(self.calls) if key in called.scores]

    def batch(self, calls: list[e.CriterionCall], value: Value | None) -> e.TrainBatch:
        """Return the backward call on what criterion calls gave."""
        return replace(
            self.kind,
            value=value,
            parts=calls,
            shown=self.shown,
            freed=None,
            seen_by=set(),
            counted_by={},
        )


def pattern_of(
    capture: Capture, stream: Stream, batches: list[e.TrainBatch], *, clipped: bool
) -> Pattern | None:
    """Return what the step just taken was like, None where it, or where it stands, is special."""
    if not _are_simple(batches) or not _is_ordinary(capture, stream, batches[0]):
        return None
    batch = batches[0]
    optimizer = stream.optimizer() if stream.optimizer is not None else None
    by_hand = stream.optimizer is None
    roots = _in_training(capture, stream)
    if roots is None or (optimizer is None and not by_hand):
        return None
    if not _is_scaled_plainly(capture.training.scaler, batch, optimizer):
        return None
    epoch = batch.site.epoch
    pattern = Pattern(
        stream=stream,
        site=batch.site,
        calls=[_called(part) for part in batch.parts],
        backwards=len(batches),
        kind=replace(batch, value=None, parts=[]),
        factor=capture.training.sites.factor(batch),
        drawn=batch.drawn is not None and capture.evaluation.last_loader is not None,
        shown=batch.shown,
        variable=batch.site.shows[0] if epoch is not None else None,
        depth=epoch[1] if epoch is not None else None,
        groups=1 if optimizer is None else len(optimizer.param_groups),
        on_device=isinstance(batch.value, Pending),
        roots=roots,
        by_hand=by_hand,
        scaler=capture.training.scaler,
        clipped=clipped,
        each=epoch is not None and _is_an_epoch(stream) and capture.evaluation.last_loader is None,
    )
    pattern.until = _until(stream, each=pattern.each)
    if pattern.backwards > 1 and (pattern.each or len(capture.training.streams) > 1):
        return None
    return pattern if _takes_batches(pattern, capture, batch.site) else None


def _is_scaled_plainly(scaler: Any, batch: e.TrainBatch, optimizer: Any) -> bool:
    """Whether there is no gradient scaler, or one that decides by itself which steps are taken.

    Fused optimizers are told to decide that where the gradients are; a step by hand asks nobody.
    """
    if scaler is None:
        return True
    fused = getattr(optimizer, "_step_supports_amp_scaling", False)
    return batch.scaled and optimizer is not None and not fused


def _called(part: e.CriterionCall) -> Called:
    return Called(
        part.function,
        part.size or 0,
        part.reduction,
        part.counts,
        part.site,
        frozenset(part.scores),
        part.prediction_key,
        part.target_key,
    )


def _in_training(capture: Capture, stream: Stream) -> list[ref[Any]] | None:
    """Return the models that are trained; None where one of them is in `eval()`.

    Models of earlier trainings may be alive still, and are left in any mode.
    """
    roots = [(known, root) for known in capture.models.roots if (root := known()) is not None]
    if not all(root.training for _, root in roots):
        held = {id(parameter) for parameter in stream.parameters()}
        roots = [r for r in roots if not held.isdisjoint(id(p) for p in r[1].parameters())]
        if not roots or not all(root.training for _, root in roots):
            return None
    return [known for known, _ in roots]


def _are_simple(batches: list[e.TrainBatch]) -> bool:
    """Whether a step came of backward calls of one kind, on losses of the simple kind."""
    if not 0 < len(batches) <= _MOST_BACKWARDS or not _is_simple(batches[0]):
        return False
    first = _kind(batches[0])
    several = len(batches) > 1
    if several and any(part.reduction == "sum" for part in batches[0].parts):
        # What such sums are divided by, the sizes of all of them decide.
        return False
    if several and batches[0].drawn is not None and batches[0].size is not None:
        # How many batches of a loader these are, each step tells anew.
        return False
    return all(_is_simple(batch) and _kind(batch) == first for batch in batches[1:])


def _is_simple(batch: e.TrainBatch) -> bool:
    """Whether a loss is made of means or sums, each of so many samples, and is a number."""
    if batch.reduction == "mixed" or batch.ragged or batch.apart or batch.weight is not None:
        return False
    if batch.reduction == "sum" and batch.whole and batch.divisor != 1:
        return False
    parts = batch.parts
    if len(parts) > _MOST_CALLS or not all(map(_is_simple_call, parts)):
        return False
    value = batch.value
    return isinstance(value, Pending) or (value is not None and math.isfinite(value))


def _is_simple_call(call: e.CriterionCall) -> bool:
    known = {"mean": _FUNCTIONS, "sum": _SUMMED}.get(call.reduction, ())
    simple = call.function in known and call.divisor == 1 and call.weight is None
    return simple and bool(call.size) and call.value is not None


def _kind(batch: e.TrainBatch) -> tuple[object, ...]:
    """Return what backward calls of one kind have in common."""
    calls = [(part.function, part.size, id(part.site)) for part in batch.parts]
    drawn = batch.drawn is not None
    shown = None if batch.shown is None else (batch.shown.loop, batch.shown.number)
    read = (batch.as_read, batch.scaled)
    return id(batch.site), batch.size, batch.divisor, read, drawn, shown, calls


def _is_ordinary(capture: Capture, stream: Stream, batch: e.TrainBatch) -> bool:
    """Whether nothing is under way beside the step."""
    training, evaluation, site = capture.training, capture.evaluation, batch.site
    if batch.shown is None and (stream.epoch is not None or site.epoch is not None):
        return False
    if site.epoch is not None and batch.shown.loop != site.shows[1]:
        return False
    drawn = batch.drawn is not None and evaluation.last_loader is not None
    if drawn and (batch.size is None or evaluation.in_hand.draws_ahead):
        # How many samples there are a loader says, and not plainly.
        return False
    return (
        stream.steps >= SETTLED_BY
        and training.is_calm(stream, batch.site)
        and not evaluation.is_open
        and not capture.monitored
        and not capture.criteria.depth
        and not capture.criteria.undecided
    )


def _is_an_epoch(stream: Stream) -> bool:
    """Whether the step just taken began an epoch, and the one before it was one."""
    return stream.after_one_step and stream.steps == stream.entered + 1 and not stream.by_steps


def _until(stream: Stream, *, each: bool) -> float:
    """Return the step that fills a pass where passes are so many steps, else infinity.

    Where each step is an epoch, the one that would be beyond the last of their loop.
    """
    if stream.epoch is not None:
        last = stream.said_last if each else None
        return math.inf if last is None else stream.steps + last - stream.epoch
    full = STRETCH - stream.stretch.steps - 1
    # Without epochs a snapshot is due at every so many-th step.
    snapshot = -stream.steps % STRETCH
    return stream.steps + min(full if not stream.stretch.evaluated else math.inf, snapshot)


def _takes_batches(pattern: Pattern, capture: Capture, site: Site) -> bool:
    """Learn which loader's running pass gives the batches; False where that is not so plain."""
    number = capture.evaluation.last_loader
    if number is None:
        return True
    loaders = capture.loaders
    # A loader that no variable holds is known by its iterator, and has no passes.
    current = loaders.passes.get(number)
    if current is not None and not loaders.is_plain_training(number, id(site)):
        return False
    if current is not None and current.batches == current.length:
        # What follows its last batch is another epoch.
        return False
    pattern.loader, pattern.loader_pass = capture.evaluation.loader, current
    return True
