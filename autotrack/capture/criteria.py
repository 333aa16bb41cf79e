"""Criterion calls waiting to be recognised: fed to a backward, or an evaluation, or neither."""

from __future__ import annotations

from collections import Counter
from dataclasses import replace
from typing import TYPE_CHECKING, Any
from weakref import ref

import torch

from autotrack import graph
from autotrack.capture.outputs import Outputs
from autotrack.dtensors import is_spread, whole_of
from autotrack.events import CriterionCall, CriterionSeen, GradientsAsked, LossComputed

if TYPE_CHECKING:
    from collections.abc import Callable

    from torch import nn

    from autotrack.frames import Line
    from autotrack.loopscope import LoopScope
    from autotrack.row import Value

# Loops that call a criterion once a time step make many calls a step; more than this is a leak.
_MOST_WAITING = 8192
# Each looks at all of a model's graph.
_MOST_SEARCHES = 16
# Calls of a step beyond so many are not remembered: a recurrent network makes one a character.
_MOST_EARLIER = 16


class Criteria:
    """Reads criterion calls as they happen, so that no tensor of the person's has to be kept."""

    def __init__(self, scope: LoopScope, publish: Callable[[Any], None], value_of: Any) -> None:
        self._scope = scope
        self._publish = publish
        self.value_of = value_of
        self.waiting: dict[int, CriterionCall] = {}
        self.undecided: dict[int, CriterionCall] = {}
        # Sites (by identity, they live on) whose calls have trained, and whether in `eval()` too.
        self._training: set[int] = set()
        self._trains_in_eval = False
        # Inside a person's own criterion: how deep, and what was computed there.
        self.depth = 0
        self.inner: list[CriterionCall] = []
        self.outputs = Outputs()
        # The lines in modules that are no criteria whose losses training took.
        self._within: set[tuple[Line, ...]] = set()
        #: A person's own criteria that are known to sum.
        self.sums: set[str] = set()
        # Functions whose losses, one a sample, a person masks or chooses from by hand.
        self.chosen: set[str] = set()
        #: Whether scores or targets were seen of which this process holds a part.
        self.in_parts = False
        self._old: list[int] = []
        # Calls with gradients that no backward was seen to lead to, by site; the sites of which
        # some are known to lie below no loss; and how often that was looked for.
        self._unfed: Counter[int] = Counter()
        self._apart: set[int] = set()
        self._searches = 0
        # The newest call, by the number of its node, when a backward came last.
        self._newest = -1
        self._last_target: _Held | None = None
        self._last_prediction: _Held | None = None
        # What the other calls of the step compared, each with its prediction.
        self._earlier: list[tuple[_Held | None, _Held | None]] = []
        self._stepped = False

    def computed(self, event: LossComputed, *, position: Any) -> CriterionCall:
        """Keep a call whose loss requires grad until a backward, or nobody, asks for it; return it.

        `position` is where training stands if the call may turn out to be evaluation, else None.
        """
        call = self.read(event)
        self.wait(call, position)
        if call.node is not None and position is None:
            self.remember(event.prediction, event.target, anew=self._stepped)
        return call

    def wait(self, call: CriterionCall, position: Any) -> None:
        """Let a call wait for a backward."""
        call.position = position
        if call.node is None:
            return
        if len(self.waiting) >= _MOST_WAITING:
            self._forget(list(self.waiting))
        self.waiting[call.node] = call
        if position is not None:
            self.undecided[call.node] = call

    def inside(self, modules: list[nn.Module]) -> set[str]:
        """Mark calls that wait and were made in the `forward` of any of these modules.

        Return the classes of those modules.
        """
        names: dict[Any, set[str]] = {}
        for module in modules:
            code = getattr(type(module).forward, "__code__", None)
            names.setdefault(code, set()).add(type(module).__name__)
        found = set()
        for call in self.waiting.values():
            around = [name for code, _ in call.site.lines for name in names.get(code, ())]
            call.inside = bool(around)
            found.update(around)
        return found

    def take_inner(self) -> list[CriterionCall]:
        """Return what was computed inside a module that is no criterion of the person's.

        Without gradients that is what a line computed which has trained: not what only reports.
        """
        inner, self.inner = self.inner, []
        for call in inner:
            call.inside = True
        return [
            call for call in inner if call.node is not None or call.site.lines[:1] in self._within
        ]

    def as_seen_here(self, event: LossComputed) -> LossComputed:
        """Return a call without the tensors of which this process holds a part only."""
        if type(event.prediction) is torch.Tensor and type(event.target) is torch.Tensor:
            return event
        prediction, target = whole_of(event.prediction), whole_of(event.target)
        if prediction is event.prediction and target is event.target:
            return event
        self.in_parts = self.in_parts or prediction is None or target is None
        size = event.size if target is not None else _size(event)
        return replace(event, prediction=prediction, target=target, size=size)

    def remember(self, prediction: Any, target: Any, *, anew: bool) -> None:
        """Remember what training compares beside what it did before in this step, if any."""
        if anew:
            self._earlier.clear()
        elif len(self._earlier) < _MOST_EARLIER:
            self._earlier.append((self._last_target, self._last_prediction))
        self.in_hand(prediction, target)

    def in_hand(self, prediction: Any, target: Any) -> None:
        """Remember what training compares, without keeping it alive."""
        # Most are no views: they are held here, without a further frame.
        whole = isinstance(target, torch.Tensor) and target._base is None
        self._last_target = (ref(target), 0, 0) if whole else _own(target)
        whole = isinstance(prediction, torch.Tensor) and prediction._base is None
        self._last_prediction = (ref(prediction), 0, 0) if whole else _own(prediction)
        self._stepped = False

    def read(self, event: LossComputed) -> CriterionCall:
        """Return the numbers of a call; metrics add their counts."""
        loss = event.loss
        value = self.value_of(loss) if loss.dim() == 0 else self._mean_of(loss)
        node = loss.grad_fn
        call = CriterionCall(
            function=event.function,
            value=value if event.divisor == 1 or value is None else value / event.divisor,
            size=event.size if event.size is not None else _size(event),
            reduction="sum" if event.own and event.function in self.sums else event.reduction,
            node=None if node is None else int(node._sequence_nr()),
            site=self._scope.site(),
            divisor=event.divisor,
            prediction_key=_identity(event.prediction),
            target_key=_address(event.target),
            own=event.own,
        )
        if call.reduction == "sum":
            call.counts, call.weight = self._answers(event)
        if event.prediction is not None:
            self._publish(CriterionSeen(event, call, self.depth > 0))
        if event.own:
            self._adopt(call, event.loss)
        if event.reduction == "none" and event.function in self.chosen:
            forget_samples(call)
            call.value = None
        return call

    def _answers(self, event: LossComputed) -> tuple[tuple[int, ...], Value | None]:
        """Return the numbers that a sum may run over, and the true one where a device has it."""
        target = event.target
        if not isinstance(target, torch.Tensor):
            return (), None
        counts = [int(target.shape[0]) if target.dim() else 1, target.numel()]
        if event.ignore_index is None or target.is_floating_point():
            return tuple(counts), None
        valid = self.value_of((target != event.ignore_index).sum())
        if isinstance(valid, float):
            return (*counts, int(valid)), None
        return tuple(counts), valid if target.dim() == 1 else None

    def _mean_of(self, loss: Any) -> Any:
        """Return the mean of an unreduced loss with one value a sample; None for other shapes."""
        if loss.dim() != 1 or (whole := whole_of(loss.detach())) is None:
            return None
        return self.value_of(whole.mean())

    def entered(self) -> None:
        """A person's own criterion begins."""
        if self.depth == 0:
            self.inner.clear()
        self.depth += 1

    def left(self, event: LossComputed) -> list[LossComputed]:
        """A person's own criterion returned; return its losses where it is the outermost."""
        self.depth = max(self.depth - 1, 0)
        return [] if self.depth else self.outputs.losses(event)

    def _adopt(self, call: CriterionCall, loss: Any) -> None:
        """Take over what was counted inside a person's own criterion, where that is one count."""
        scored = [
            inner for inner in self.inner if any(s is not None for s in inner.scores.values())
        ]
        if len({id(inner.site) for inner in scored}) == 1 and len(scored) == 1:
            inner = scored[0]
            call.scores.update(inner.scores)
            known = {inner.node: inner} if inner.node is not None else {}
            if inner.reduction == "none" and graph.chosen(loss.grad_fn, known):
                self.chosen.add(inner.function)
                forget_samples(call)
        self.inner.clear()

    def fed_training(self, parts: list[CriterionCall]) -> None:
        """These calls were backwarded, so they are no evaluation."""
        for part in parts:
            part.fed = True
            self.outputs.trained(part.function)
            if part.inside:
                self._within.add(part.site.lines[:1])
            self._newest = max(self._newest, part.node or 0)
            self._training.add(id(part.site))
            self._trains_in_eval = self._trains_in_eval or part.position is not None
            if part.node is not None:
                self.undecided.pop(part.node, None)

    def take_undecided(
        self, is_over: Callable[[CriterionCall], bool] = lambda _: True
    ) -> list[CriterionCall]:
        """Return the calls that turn out to be evaluation.

        They go on waiting for a backward: one that comes after all shows that its site trains.
        """
        calls = [call for call in self.undecided.values() if is_over(call)]
        for call in calls:
            self.undecided.pop(call.node, None)  # type: ignore[arg-type]
        return calls

    def may_train(self, call: CriterionCall) -> bool:
        """Whether a call in `eval()` may be a term of the next loss, as those of its site were."""
        return self._trains_in_eval and id(call.site) in self._training

    def step_done(self) -> None:
        """Forget the calls that were waiting a whole step ago already."""
        self._forget(self._old)
        self._old = list(self.waiting)
        self._stepped = True

    def step_under_way(self) -> None:
        """What is remembered is of a step that goes on."""
        self._stepped = False

    def resume(self, calls: list[CriterionCall]) -> None:
        """Let calls wait that were made elsewhere."""
        self.waiting.update((call.node, call) for call in calls if call.node is not None)

    def _forget(self, numbers: list[int]) -> None:
        for number in numbers:
            call = self.waiting.pop(number, None)
            if call is not None and _is_unfed(call):
                self._unfed[id(call.site)] += 1

    def look_for_others(self, starts: list[Any]) -> None:
        """See whether calls that wait, and are no known part of a loss, lie below it after all.

        `starts` are its nodes; none where it is a criterion's very result.
        """
        others = {
            number
            for number, call in self.waiting.items()
            if _is_unfed(call) and id(call.site) not in self._apart
        }
        self._newest = max([self._newest, *self.waiting])
        if not others or self._searches >= _MOST_SEARCHES:
            return
        self._searches += bool(starts)
        below = graph.reached(starts, others)
        for number in others:
            call = self.waiting[number]
            if number in below:
                call.fed = True
            else:
                self._apart.add(id(call.site))

    def gradients_asked(self, event: GradientsAsked) -> None:
        """Calls of which gradients are taken by themselves feed no step, and evaluate nothing."""
        others = {number for number, call in self.waiting.items() if not call.fed}
        for number in graph.reached(event.nodes, others) if others else ():
            self.waiting[number].fed = True
            self.undecided.pop(number, None)

    def end(self) -> None:
        """No backward comes any more, whatever waits for one."""
        late = [call for number, call in self.waiting.items() if number > self._newest]
        self._apart.update(id(call.site) for call in late if _is_unfed(call))

    @property
    def unused(self) -> int:
        """How many calls with gradients, in `train()` mode, led to no backward."""
        counts = self._unfed + Counter(id(c.site) for c in self.waiting.values() if _is_unfed(c))
        return sum(count for site, count in counts.items() if site in self._apart)

    @property
    def target_in_hand(self) -> int:
        """The address of the target that training compared with last; 0 where it is gone."""
        held = self._last_target
        known = held[0]() if held is not None else None
        return 0 if held is None or known is None else held[1] or _address(known)

    def concerns_training_batch(self, event: LossComputed) -> bool:
        """Whether a call without gradients looks at the very batch that training has in hand."""
        in_hand = ((self._last_target, self._last_prediction), *self._earlier)
        return any(
            _same(target, event.target) or _same(prediction, event.prediction)
            for target, prediction in in_hand
        )


def _is_unfed(call: CriterionCall) -> bool:
    return not call.fed and call.position is None


def forget_samples(call: CriterionCall) -> None:
    """Let a call count in no score: which of its samples count is not known."""
    call.scores = dict.fromkeys(call.scores)


#: A tensor, or what it is a view of, as long as that lives; for a view its place and length.
_Held = tuple[ref[Any], int, int]


def _own(tensor: Any) -> _Held | None:
    if not isinstance(tensor, torch.Tensor):
        return None
    base = tensor._base
    if base is None:
        return ref(tensor), 0, 0
    return ref(base), _address(tensor), tensor.numel()


def _same(held: _Held | None, tensor: Any) -> bool:
    # While the first is alive its address is its own: equal places are the same data, also
    # through `detach()` and views.
    known = held[0]() if held is not None else None
    if held is None or known is None or not isinstance(tensor, torch.Tensor):
        return False
    address, size = held[1:] if held[1] else (_address(known), known.numel())
    return bool(address) and _address(tensor) == address and tensor.numel() == size


def _address(tensor: Any) -> int:
    if not isinstance(tensor, torch.Tensor) or tensor.layout is not torch.strided:
        return 0
    return tensor.data_ptr()


def _identity(tensor: Any) -> int:
    """Return a number that tells predictions of one step apart: of the operation that made it."""
    if isinstance(tensor, torch.Tensor) and tensor.grad_fn is not None:
        return int(tensor.grad_fn._sequence_nr())
    return _address(tensor)


def _size(event: LossComputed) -> int | None:
    """Return the number of samples: the first dimension of the target, else of the prediction.

    A sum over tokens in a row has as many samples as tokens that it does not ignore.
    """
    target = event.target
    counted = event.reduction == "sum" and event.ignore_index is not None
    if counted and is_spread(target):
        return None
    if counted and _is_row_of_classes(target):
        return int((target != event.ignore_index).sum())
    for tensor in (target, event.prediction):
        if isinstance(tensor, torch.Tensor):
            return int(tensor.shape[0]) if tensor.dim() else 1
    return None


def _is_row_of_classes(target: Any) -> bool:
    # Off the CPU the count would wait for the device.
    return (
        isinstance(target, torch.Tensor)
        and target.dim() == 1
        and target.device.type == "cpu"
        and not target.is_floating_point()
    )
