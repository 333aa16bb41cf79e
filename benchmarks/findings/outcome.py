"""What a fault cost, told by no rule and by no record: the trained model on untouched data.

A fault is as strong as the harm that it does, in shares of what the healthy twin has gained:

    harm = (loss of the faulty twin - loss of the healthy one) / (loss untrained - loss healthy)

with the loss of the finished model in `eval()` mode on the task's own validation data, by the
task's own criterion. A broken evaluation harms nobody's weights: there the harm is how far the last
loss that the loop showed is from that of the same model on the same data. A slow loader costs time:
there it is the share of the time that goes by waiting.
"""

from __future__ import annotations

import json
import math
from dataclasses import asdict, dataclass
from typing import TYPE_CHECKING, Literal

import torch

if TYPE_CHECKING:
    from pathlib import Path

    from torch import nn

    from autotrack.history import History
    from benchmarks.findings.tasks import Task

Strength = Literal["weak", "medium", "strong"]

# Decided before any rule was looked at: a quarter of the gain is lost, or a twentieth.
STRONG, MEDIUM = 0.25, 0.05
_FILE = "outcome.json"


@dataclass(frozen=True)
class Outcome:
    """Validation losses before and after training, and how long the training took in seconds."""

    untrained: float
    trained: float
    seconds: float

    def write(self, directory: Path) -> None:
        """Leave it beside the record."""
        (directory / _FILE).write_text(json.dumps(asdict(self)), encoding="utf-8")


def read_outcome(directory: Path) -> Outcome:
    """Read what was left beside a record."""
    return Outcome(**json.loads((directory / _FILE).read_text(encoding="utf-8")))


@torch.no_grad()
def validation_loss(model: nn.Module, task: Task) -> float:
    """Return the loss in `eval()` mode on untouched data; infinite where it is none."""
    was_training = model.training
    model.eval()
    try:
        loss = float(task.criterion(model(task.val[0]), task.val[1]))
    except (AttributeError, TypeError, ValueError, RuntimeError):
        # several outputs, or a loss of its own: this task's criterion does not judge the model
        return math.nan
    finally:
        model.train(was_training)
    return loss if math.isfinite(loss) else math.inf


def harm(faulty: History, healthy: History, *, waits: bool = False) -> float:
    """Return the larger of what training lost and what evaluation misreports, as a share.

    With `waits`, the share of the time that goes by waiting, if that is more.
    """
    broken, sound = read_outcome(faulty.directory), read_outcome(healthy.directory)
    lost = broken.trained - sound.trained
    shown = next((s for name, s in faulty.items() if name.startswith("Loss/val")), None)
    if shown is not None and math.isfinite(broken.trained):
        lost = max(lost, abs(float(shown.value[-1]) - broken.trained))
    share = lost / (sound.untrained - sound.trained)
    if waits:
        share = max(share, 1 - _pace(healthy, sound) / _pace(faulty, broken))
    return share if math.isfinite(share) else math.inf


def _pace(history: History, outcome: Outcome) -> float:
    """Return seconds a step."""
    return outcome.seconds / len(history["Loss/train"])


def strength(share: float) -> Strength:
    """Return the word for a share of the gain that is lost."""
    return "strong" if share >= STRONG else "medium" if share >= MEDIUM else "weak"
