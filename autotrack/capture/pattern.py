"""When steps have settled: what the last one was like, where those that follow may be like it."""

from __future__ import annotations

import math
from dataclasses import dataclass
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

#: Steps that every training takes the long way: by then its other optimizers have stepped too.
SETTLED_BY = 12


@dataclass(slots=True, eq=False, repr=False)
class Pattern:
    """One backward of one mean criterion, then one step, of a run's only stream.

    With `clipped`, gradients are clipped in between, once.
    With `each`, every step is the next epoch; `shown` is that of the last whole step then.
    `variable` is the epoch's, read in the frame with `depth` of the person's frames inside it.
    `loader` gives the batches and `loader_pass` counts them. `scores` are
    the metrics that count the criterion; `on_device` says that losses are not on the CPU. `until`
    is the first step that may be different.
    """

    stream: Stream
    site: Site
    call_site: Site
    function: str
    ignore_index: int | None
    size: int
    shown: Shown | None
    variable: str | None
    depth: int | None
    groups: int
    scores: frozenset[str]
    on_device: bool
    roots: list[ref[Any]]
    clipped: bool = False
    each: bool = False
    loader: ref[Any] | None = None
    loader_pass: LoaderPass | None = None
    until: float = math.inf

    def is_computed_by(self, event: e.LossComputed) -> bool:
        """Whether a criterion call is the pattern's, by all that can be told from outside."""
        target = event.target
        return (
            event.function == self.function
            and event.reduction == "mean"
            and hasattr(target, "shape")
            and (target.shape[0] if target.dim() else 1) == self.size
        )

    def call(
        self, value: Value, node: int, prediction_key: int, target_key: int
    ) -> e.CriterionCall:
        """Return a criterion call of the pattern."""
        return e.CriterionCall(
            function=self.function,
            value=value,
            size=self.size,
            reduction="mean",
            node=node,
            site=self.call_site,
            prediction_key=prediction_key,
            target_key=target_key,
        )

    def batch(self, call: e.CriterionCall) -> e.TrainBatch:
        """Return the backward call on a criterion call's loss."""
        batch = e.TrainBatch(self.site, call.value, 1.0, self.size, [call], "mean", whole=True)
        batch.shown = self.shown
        return batch


def pattern_of(
    capture: Capture, stream: Stream, batches: list[e.TrainBatch], *, clipped: bool
) -> Pattern | None:
    """Return what the step just taken was like, None where it, or where it stands, is special."""
    call = _lone_call(batches)
    if call is None or not _is_ordinary(capture, stream, batches[0]):
        return None
    batch = batches[0]
    optimizer = stream.optimizer() if stream.optimizer is not None else None
    if optimizer is None or (batch.shown is None and stream.epoch is not None):
        return None
    roots = _in_training(capture, stream)
    if roots is None:
        return None
    epoch = batch.site.epoch
    pattern = Pattern(
        stream=stream,
        site=batch.site,
        call_site=call.site,
        function=call.function,
        ignore_index=None,
        size=call.size or 0,
        shown=batch.shown,
        variable=batch.site.shows[0] if epoch is not None else None,
        depth=epoch[1] if epoch is not None else None,
        groups=len(optimizer.param_groups),
        scores=frozenset(call.scores),
        on_device=isinstance(batch.value, Pending),
        roots=roots,
        clipped=clipped,
        each=epoch is not None and _is_an_epoch(stream) and capture.evaluation.last_loader is None,
    )
    pattern.until = _until(stream, each=pattern.each)
    if epoch is not None and (batch.shown is None or batch.shown.loop != batch.site.shows[1]):
        return None
    return pattern if _takes_batches(pattern, capture, batch.site) else None


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


def _lone_call(batches: list[e.TrainBatch]) -> e.CriterionCall | None:
    """Return the criterion call that alone was backwarded, if it is of the simple kind."""
    if len(batches) != 1 or len(batches[0].parts) != 1:
        return None
    batch, call = batches[0], batches[0].parts[0]
    plain = batch.whole and batch.divisor == 1 and batch.reduction == "mean" and not batch.ragged
    simple = call.function in _FUNCTIONS and call.divisor == 1 and call.reduction == "mean"
    if not (plain and simple and call.size and batch.weight is None):
        return None
    value = batch.value
    if isinstance(value, Pending):
        return call if batch.freed is value else None
    if value is None or not math.isfinite(value) or batch.freed != value:
        return None
    return call


def _is_ordinary(capture: Capture, stream: Stream, batch: e.TrainBatch) -> bool:
    """Whether nothing is under way beside the step."""
    training, evaluation = capture.training, capture.evaluation
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
