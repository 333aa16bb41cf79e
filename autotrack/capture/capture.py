"""The interpreter: one handler an event, each publishing the moments that follow from it."""

from __future__ import annotations

from functools import partial
from typing import TYPE_CHECKING, Any

import torch

from autotrack import events as e
from autotrack.capture.classes import Classes
from autotrack.capture.criteria import Criteria
from autotrack.capture.evaluation import Evaluation
from autotrack.capture.training import Training
from autotrack.identity import Identities
from autotrack.timeline import LoaderClock

if TYPE_CHECKING:
    from collections.abc import Callable

    from autotrack.capture.evaluation import Position
    from autotrack.capture.models import Models
    from autotrack.loopscope import LoopScope, Site
    from autotrack.row import Row, Value

# No loss has more terms.
_MOST_TERMS = 64


class Capture:
    """Sees every event of a run in order and publishes moments.

    `publish(moment)` hands a moment to the metrics; `emit_row(row, stream)` takes finished rows;
    `value_of(tensor)` is a one-element tensor's number, on its way home where a device holds it;
    None where other processes hold parts of it.
    """

    def __init__(
        self,
        scope: LoopScope,
        publish: Callable[[Any], None],
        emit_row: Callable[[Row, Any], None],
        models: Models,
        value_of: Callable[[Any], Value | None],
    ) -> None:
        self.loaders = LoaderClock()
        self.loader_ids = Identities()
        self.classes = Classes()
        self.models = models
        #: Criterion calls on the batch that training has in hand, without gradients.
        self.monitored: list[e.CriterionCall] = []
        self.criteria = Criteria(scope, publish, value_of)
        outputs = self.criteria.outputs
        outputs.stated, outputs.called = models.stated, models.called_losses
        self.evaluation = Evaluation(self.loaders, self.loader_ids, scope, publish, emit_row)
        self.training = Training(self, scope, publish, emit_row, value_of)
        self._publish, self._scope = publish, scope
        #: What takes each kind of event.
        self.handlers: dict[type, Callable[[Any], None]] = {
            partial: self._read,
            e.LossComputed: self._loss_computed,
            e.CriterionEntered: self._criterion_entered,
            e.LossScaled: self.training.loss_scaled,
            e.BackwardStarted: self.training.backward_started,
            e.BackwardDone: self.training.backward_done,
            e.GradientsAsked: self._gradients_asked,
            e.StepStarted: self.training.step_started,
            e.StepDone: self.training.step_done,
            e.ScalerStepDone: self.training.scaler_step_done,
            e.GradientsZeroed: self.training.gradients_zeroed,
            e.ClippingStarted: self.training.clipping_started,
            e.ModelCalled: self._model_called,
            e.FeaturesSeen: publish,
            e.LoaderStarted: self._loader_started,
            e.BatchLoaded: self._batch_loaded,
            e.LoaderFinished: self._loader_finished,
        }

    def _read(self, reading: partial[Any]) -> None:
        # What cannot be read ends the capture: without one of its events, later numbers are wrong.
        # Where nothing of interest happened, there is none.
        event = reading()
        if event is not None:
            self.handlers[type(event)](event)

    def end(self, *, failed: bool) -> None:
        """The run is over: close what is open, unless an exception cut it short."""
        self.monitoring_ends()
        self._settle_undecided()
        self.evaluation.end(failed=failed)
        self.training.end(failed=failed)
        self.criteria.end()
        self.evaluation.release_initial(self.training.objective)

    # -- criteria ------------------------------------------------------------------------------

    def _criterion_entered(self, event: e.CriterionEntered) -> None:
        self.criteria.entered()

    def _loss_computed(self, event: e.LossComputed) -> None:
        event = self.criteria.as_seen_here(event)
        if event.own:
            losses = self.criteria.left(event)
            for one in losses:
                self._computed(one)
            if not losses and not self.criteria.depth:
                self._inner_stand_for_themselves()
        elif event.loss.is_meta:
            # A rehearsal, on the device that holds no numbers.
            return
        elif self.criteria.depth:
            self.criteria.inner.append(self.criteria.read(event))
        else:
            self._computed(event)

    def _computed(self, event: e.LossComputed) -> None:
        if event.loss.requires_grad:
            self._computed_with_gradients(event)
            return
        if not self._only_shows(event.target):
            self._computed_without_gradients(event)

    def _inner_stand_for_themselves(self) -> None:
        """A module that looked like a criterion returned no loss: what it computed counts as such.

        One loss a sample, or its input: a layer that keeps a loss until somebody adds it up.
        """
        for call in self.criteria.take_inner():
            if call.node is not None:
                here = self._position_at(call.site) if self.models.evaluating else None
                self.criteria.wait(call, here)
            else:
                self._evaluate(call)

    def _computed_without_gradients(self, event: e.LossComputed) -> None:
        if self.criteria.undecided:
            self._settle(self.criteria.take_undecided(self._is_no_term))
        call = self.criteria.read(event)
        monitors = self.criteria.concerns_training_batch(event)
        if monitors and not self.evaluation.goes_on_at(call.site):
            # The person's own monitoring of the batch in hand, unless other batches follow it.
            call.position = self._position_at(call.site)
            if not self.monitored:
                self._publish(e.MayBeEvaluation())
            self.monitored.append(call)
            return
        for earlier in self.monitored:
            if earlier.site is call.site:
                self._evaluate(earlier)
            else:
                self.evaluation.coverage.monitored += 1
        self.monitored.clear()
        self._evaluate(call)

    def _only_shows(self, target: Any) -> bool:
        """Whether a result that needs no gradients is of no model: a lesson shows a criterion.

        That is so before training and with gradients on, as a model's would need them, of a target
        that no loader gave.
        """
        if not torch.is_grad_enabled() or self.training.position().started:
            return False
        return not self.evaluation.in_hand.holds(target)

    def _gradients_asked(self, event: e.GradientsAsked) -> None:
        self.evaluation.trains_after_all()
        self.criteria.gradients_asked(event)

    def _computed_with_gradients(self, event: e.LossComputed) -> None:
        self.evaluation.trains_after_all()
        if self.criteria.undecided:
            self._settle_those_before()
        position = self.training.position_here() if self.models.evaluating else None
        first = position is not None and not self.criteria.undecided
        call = self.criteria.computed(event, position=position)
        if position is not None:
            position.said = self.evaluation.phases.said_now(call.site)
        if first and self._is_no_term(call):
            self._publish(e.MayBeEvaluation())

    def _position_at(self, site: Site) -> Position:
        """Return where training stands, for a call that only later turns out to be evaluation."""
        position = self.training.position_here()
        position.said = self.evaluation.phases.said_now(site)
        return position

    def monitoring_ends(self) -> None:
        """Training goes on: what looked at its batch alone was no evaluation."""
        self.evaluation.coverage.monitored += len(self.monitored)
        self.monitored.clear()

    def _evaluate(self, call: e.CriterionCall) -> None:
        self.training.evaluation_begins()
        known = call.position
        self.evaluation.saw(call, self.training.position_here if known is None else lambda: known)

    def _settle_undecided(self) -> None:
        """Calls made in `eval()` mode with gradients on and never backwarded are evaluation."""
        self._settle(self.criteria.take_undecided())

    def _settle(self, calls: list[e.CriterionCall]) -> None:
        for call in calls:
            self._evaluate(call)

    def _is_no_term(self, call: e.CriterionCall) -> bool:
        return not self.criteria.may_train(call)

    def _settle_those_before(self) -> None:
        """Another call with gradients: those of a loop are evaluation, others perhaps its terms."""
        undecided = self.criteria.undecided
        if len(undecided) >= _MOST_TERMS:
            self._settle_undecided()
            return
        site = self._scope.site()
        if any(call.site is site for call in undecided.values()):
            self._settle(self.criteria.take_undecided(self._is_no_term))

    def backward_read(self, batch: e.TrainBatch) -> None:
        """What waited and is no part of the loss that is backwarded was evaluation.

        Or it is a loss of its own, whose backward comes next: where it has led to a step before.
        """
        if not self.criteria.undecided:
            return
        if self.models.evaluating and not self.training.position().started:
            # Before the first step nothing says which losses a training in `eval()` has.
            return
        sites = {id(part.site) for part in batch.parts}
        over = self.criteria.take_undecided(
            lambda call: id(call.site) in sites or self._is_no_term(call)
        )
        self._settle(over)

    # -- models and loaders ----------------------------------------------------------------------

    def _model_called(self, event: e.ModelCalled) -> None:
        self.evaluation.model_called(event)
        if not event.alike:
            self._publish(e.RootCalled(event.module))

    def _loader_started(self, event: e.LoaderStarted) -> None:
        self.training.by_hand_or_not()
        if not self.training.streams:
            self.training.look_around()
        self._settle_undecided()
        self.evaluation.loader_started(event.loader)
        number = self.loader_ids.of(event.loader)
        self.classes.look(number, event.loader)
        self.loaders.started(number, _length(event.loader))
        if number not in self.loaders.trained:
            if self.training.position().started:
                self.training.optimizers.watch_alike()
            self._publish(event)

    def _batch_loaded(self, event: e.BatchLoaded) -> None:
        self.training.by_hand_or_not()
        if self.criteria.undecided:
            self._settle_undecided()
        self.evaluation.batch_loaded(event.loader, event.batch)
        if self.evaluation.last_loader is not None:
            self.loaders.loaded(self.evaluation.last_loader)
        self._publish(e.BatchAwaited(event.seconds))

    def _loader_finished(self, event: e.LoaderFinished) -> None:
        self.training.by_hand_or_not()
        self._settle_undecided()
        self.evaluation.loader_finished(event.loader)
        self.loaders.finished(self.loader_ids.of(event.loader))


def _length(loader: Any) -> int | None:
    # Asking an iterable dataset's loader for its length changes what it warns about: never asked.
    if getattr(loader, "_dataset_kind", 1) != 0:
        return None
    try:
        return len(loader)
    except (TypeError, NotImplementedError):
        return None
