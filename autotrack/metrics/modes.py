"""In which mode the model trains and is evaluated, where that makes a difference."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, ClassVar
from weakref import ref

from torch.nn.modules.batchnorm import _NormBase
from torch.nn.modules.dropout import _DropoutNd

from autotrack.events import (
    EvaluationBatchSeen,
    EvaluationPassEnded,
    MayBeEvaluation,
    RootCalled,
    SnapshotTaken,
)
from autotrack.keeper import Keeper
from autotrack.metrics._metric import Metric, Surroundings

if TYPE_CHECKING:
    from torch import nn


class Modes(Metric):
    """Records, and counts for the coverage, whether the model was in training mode or in `eval()`.

    Once an evaluation pass, and at snapshot steps under `train`. Only for models with dropout or
    normalisation by batches: their own mode counts, so a frozen normalisation is no model in
    `eval()`, and one dropout left on is training mode.
    """

    listens: ClassVar[dict[type, str]] = {
        RootCalled: "called",
        MayBeEvaluation: "may_be_evaluation",
        EvaluationBatchSeen: "evaluating",
        EvaluationPassEnded: "pass_ended",
        SnapshotTaken: "step_taken",
    }

    def __init__(self, surroundings: Surroundings) -> None:
        super().__init__(surroundings)
        self._called: ref[nn.Module] | None = None
        self._evaluation: Any = None
        self._was_training: bool | None = None
        # Where it shows later only that this is evaluation: the mode it is made in.
        self._maybe_training: bool | None = None

    def settle(self, pattern: Any) -> Keeper | None:
        """Have nothing to keep, once the model that trains has been seen to be called.

        Another one is that of a training before.
        """
        called = self._called
        known = called is None or any(root() is called() for root in pattern.roots)
        return Keeper() if known or not pattern.roots else None

    def called(self, moment: RootCalled) -> None:
        """Remember the model that the next step or evaluation is about."""
        self._called = ref(moment.module)

    def may_be_evaluation(self, moment: MayBeEvaluation) -> None:
        """Look at the model's mode: by the time that is known, training may go on."""
        self._maybe_training = self._mode()

    def evaluating(self, moment: EvaluationBatchSeen) -> None:
        """Look at the model's mode once an evaluation pass."""
        if self._evaluation is not moment.evaluation and self._called is not None:
            self._evaluation = moment.evaluation
            self._was_training = self._mode_in(moment)
            self._count(moment.evaluation.phase, self._was_training)

    def _mode_in(self, moment: EvaluationBatchSeen) -> bool | None:
        """Return the mode of the model that is evaluated; of another one nothing is known."""
        if moment.call.position is not None:
            return self._maybe_training
        passed_over = moment.evaluation.loader is not None
        return None if passed_over and moment.evaluation.model is None else self._mode()

    def pass_ended(self, moment: EvaluationPassEnded) -> None:
        """Leave the mode of the pass beside its values."""
        if self._evaluation is moment.evaluation and self._was_training is not None:
            moment.row.hidden.append((f"autotrack/mode/{moment.phase}", int(self._was_training)))
        self._evaluation = self._was_training = None

    def step_taken(self, moment: SnapshotTaken) -> None:
        """Look at the model's mode at a snapshot step."""
        training = self._mode()
        self._count("train", training)
        if training is not None:
            moment.row.hidden.append(("autotrack/mode/train", int(training)))

    def _mode(self) -> bool | None:
        module = self._called() if self._called is not None else None
        return None if module is None else is_training(module)

    def _count(self, phase: str, training: bool | None) -> None:  # noqa: FBT001 - a mode
        if training is not None:
            counts = self.surroundings.modes.setdefault(phase, [0, 0, 0])
            counts[0 if training else 1] += 1
            counts[2] = int(training)


def is_training(module: nn.Module) -> bool | None:
    """Return whether any part that acts by mode is in training mode; None without such a part."""
    modes = [part.training for part in module.modules() if _acts_by_mode(part)]
    return any(modes) if modes else None


def _acts_by_mode(part: nn.Module) -> bool:
    if isinstance(part, _DropoutNd):
        return part.p > 0
    return isinstance(part, _NormBase) and part.track_running_stats
